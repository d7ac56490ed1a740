"""What a user's day needs of the deployed chain, and what is seen of it from outside."""

from local.cloud import Cloud

GOOD = b"id,name,amount\n" + b"".join(b"%d,name %d,%d.5\n" % (row, row, row) for row in range(30))
FLAWED = GOOD + b"31,too,many,fields\n"
NEWER = GOOD + b"31,newer,31.5\n"
FINAL = {"COMPLETED", "SUPERSEDED"}


def run_workload(cloud: Cloud, region: str, folder: str) -> dict[str, object]:
    """Upload, overwrite and delete under the folder, deliver once, and give what is seen of it."""
    cloud.upload(region, f"{folder}/good.csv", GOOD)
    cloud.upload(region, f"{folder}/replaced.csv", FLAWED)
    cloud.run_until_idle()
    rejected_before = cloud.keys(region, f"rejected/{folder}/")
    cloud.upload(region, f"{folder}/replaced.csv", NEWER)
    cloud.upload(region, f"{folder}/twice.csv", GOOD)
    cloud.upload(region, f"{folder}/twice.csv", NEWER)
    version = cloud.upload(region, f"{folder}/deleted.csv", GOOD)
    expire(cloud, region, f"{folder}/deleted.csv", version)
    cloud.run_until_idle()
    jobs = [job for job in cloud.jobs(region) if job["input_path"].startswith(folder)]
    twice = [job for job in jobs if job["input_path"].endswith("/twice.csv")]
    return {
        "jobs": sorted(
            (job["input_path"].rpartition("/")[2], job["status"], job.get("rows_out"))
            for job in jobs
            if job not in twice
        ),
        # Whether the older of two versions is superseded or completed first depends on who comes first.
        "both versions ended": len(twice) == 2
        and {job["status"] for job in twice} <= {"COMPLETED", "SUPERSEDED"},
        "processed": sorted(cloud.keys(region, f"processed/{folder}/")),
        "rejected before": rejected_before,
        "rejected": cloud.keys(region, f"rejected/{folder}/"),
        "logged": any(folder in line for line in cloud.log(region)),
        "waiting": cloud.messages(region),
        "dead letters": cloud.messages(region, "deadLetterQueueUrl"),
    }


def healthy(folder: str) -> dict[str, object]:
    """Give what `run_workload` gives where nothing is broken."""
    return {
        "jobs": [
            ("deleted.csv", "SKIPPED", None),
            ("good.csv", "COMPLETED", 30),
            ("replaced.csv", "COMPLETED", 30),
            ("replaced.csv", "COMPLETED", 31),
        ],
        "both versions ended": True,
        "processed": [
            f"processed/{folder}/{name}.parquet" for name in ("good.csv", "replaced.csv", "twice.csv")
        ],
        "rejected before": [f"rejected/{folder}/replaced.csv.jsonl"],
        "rejected": [],
        "logged": True,
        "waiting": 0,
        "dead letters": 0,
    }


def expire(cloud: Cloud, region: str, key: str, version: str) -> None:
    """Remove a version for good, as S3's lifecycle does, whom no bucket policy stops."""
    s3, bucket = cloud.client("s3", region), cloud.outputs[region]["bucketName"]
    policy = s3.get_bucket_policy(Bucket=bucket)["Policy"]
    s3.delete_bucket_policy(Bucket=bucket)
    s3.delete_object(Bucket=bucket, Key=key, VersionId=version)
    s3.put_bucket_policy(Bucket=bucket, Policy=policy)
