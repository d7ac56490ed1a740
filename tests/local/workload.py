"""A workload that uses every function of the deployed chain, and its visible results."""

from local.cloud import Cloud

GOOD = b"id,name,amount\n" + b"".join(b"%d,name %d,%d.5\n" % (row, row, row) for row in range(30))
FLAWED = GOOD + b"31,too,many,fields\n"
NEWER = GOOD + b"31,newer,31.5\n"
# Larger than what is read at once, and otherwise than it begins: it is read a second time, by its version.
LARGE = GOOD + b"1,a,1.5\n" * 150_000 + b"2,b,c\n"


def run_workload(cloud: Cloud, region: str, folder: str) -> dict[str, object]:
    """Upload, overwrite and delete in the folder, deliver once, and return the visible results."""
    cloud.upload(region, f"{folder}/good.csv", GOOD)
    cloud.upload(region, f"{folder}/large.csv", LARGE)
    cloud.upload(region, f"{folder}/replaced.csv", FLAWED)
    cloud.upload(region, f"{folder}/withdrawn.csv", GOOD)
    cloud.run_until_idle()
    rejected_before = cloud.keys(region, f"rejected/{folder}/")
    cloud.upload(region, f"{folder}/replaced.csv", NEWER)
    cloud.upload(region, f"{folder}/twice.csv", GOOD)
    cloud.upload(region, f"{folder}/twice.csv", NEWER)
    version = cloud.upload(region, f"{folder}/deleted.csv", GOOD)
    expire(cloud, region, f"{folder}/deleted.csv", version)
    cloud.delete(region, f"{folder}/withdrawn.csv")
    cloud.run_until_idle()
    jobs = [job for job in cloud.jobs(region) if job["input_path"].startswith(folder)]
    return {
        "jobs": sorted(
            (job["input_path"].rpartition("/")[2], job["status"], job.get("rows_out")) for job in jobs
        ),
        "processed": sorted(cloud.keys(region, f"processed/{folder}/")),
        "rejected before": rejected_before,
        "rejected": cloud.keys(region, f"rejected/{folder}/"),
        "logged": any(folder in line for line in cloud.log(region)),
        "waiting": cloud.messages(region),
        "dead letters": cloud.messages(region, "deadLetterQueueUrl"),
    }


def healthy(folder: str) -> dict[str, object]:
    """Return the results of `run_workload` if nothing is broken."""
    return {
        "jobs": [
            ("deleted.csv", "SKIPPED", None),
            ("good.csv", "COMPLETED", 30),
            ("large.csv", "COMPLETED", 150_031),
            ("replaced.csv", "COMPLETED", 30),
            ("replaced.csv", "COMPLETED", 31),
            ("twice.csv", "COMPLETED", 31),
            ("twice.csv", "SUPERSEDED", None),
            ("withdrawn.csv", "WITHDRAWN", 30),
        ],
        "processed": [
            f"processed/{folder}/{name}.parquet"
            for name in ("good.csv", "large.csv", "replaced.csv", "twice.csv")
        ],
        "rejected before": [f"rejected/{folder}/replaced.csv.jsonl"],
        "rejected": [],
        "logged": True,
        "waiting": 0,
        "dead letters": 0,
    }


def expire(cloud: Cloud, region: str, key: str, version: str) -> None:
    """Permanently delete a version, as S3's lifecycle rules do despite the bucket policy."""
    s3, bucket = cloud.client("s3", region), cloud.outputs[region]["bucketName"]
    policy = s3.get_bucket_policy(Bucket=bucket)["Policy"]
    s3.delete_bucket_policy(Bucket=bucket)
    try:
        s3.delete_object(Bucket=bucket, Key=key, VersionId=version)
    finally:
        s3.put_bucket_policy(Bucket=bucket, Policy=policy)
