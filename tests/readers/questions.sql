-- What people ask of the datasets in datasets/, in Athena's SQL: Trino and the embedded Athena must agree.
SELECT count(*) FROM flights;
SELECT carrier, count(*), sum(distance), avg(dep_delay)
FROM flights
GROUP BY carrier
ORDER BY 2 DESC, 1;
SELECT date_trunc('month', time_hour), count(*) FROM flights GROUP BY 1 ORDER BY 1;
SELECT date_format(time_hour, '%Y-%m-%d') AS day, max(arr_delay)
FROM flights
GROUP BY 1
ORDER BY 1;
SELECT sum(distance) / count(*), 7 / 2, 7 % 4 FROM flights;
SELECT origin, count(DISTINCT dest), count(*) FILTER (WHERE dep_time IS NULL)
FROM flights
GROUP BY origin
ORDER BY origin;
SELECT p.manufacturer, count(*)
FROM flights f JOIN planes p ON f.tailnum = p.tailnum
GROUP BY p.manufacturer
HAVING count(*) > 10
ORDER BY 2 DESC, 1 LIMIT 5;
SELECT f.dest, a.airport, count(*)
FROM flights f LEFT JOIN airports a ON a.faa = f.dest
GROUP BY f.dest, a.airport
ORDER BY 3 DESC, 1;
WITH late AS (SELECT carrier, dep_delay
FROM flights
WHERE dep_delay > 60) SELECT carrier, max(dep_delay)
FROM late
GROUP BY carrier
ORDER BY carrier;
SELECT carrier, flight, rank() OVER (PARTITION BY carrier
ORDER BY dep_delay DESC, flight, time_hour) AS r
FROM flights
WHERE dep_delay IS NOT NULL
ORDER BY 1, 3, 2 LIMIT 20;
SELECT count(*), min(time_hour), max(time_hour) FROM weather_current;
SELECT origin, time_hour, temp
FROM weather_current
WHERE year = 2013 AND month = 11 AND day = 3 AND hour = 1
ORDER BY origin;
SELECT origin, hour
FROM weather
EXCEPT SELECT origin, hour
FROM weather_current
WHERE hour > 0
ORDER BY 1, 2;
SELECT sum(precip), max(precip), min(precip), count(precip) FROM weather;
SELECT origin, avg(temp), stddev(temp), round(max(humid), 1)
FROM weather
GROUP BY origin
ORDER BY origin;
SELECT CASE WHEN temp < 32 THEN 'frost' ELSE 'none' END AS cold, count(*)
FROM weather
GROUP BY 1
ORDER BY 1;
SELECT date_diff('hour', min(time_hour), max(time_hour)), date_add('day', 1, max(time_hour))
FROM weather;
SELECT extract(hour
FROM time_hour), day_of_week(time_hour), count(*)
FROM weather
GROUP BY 1, 2
ORDER BY 1, 2;
SELECT coalesce(wind_dir, -1), count(*) FROM weather GROUP BY 1 ORDER BY 1;
SELECT try_cast(tailnum AS bigint), upper(origin), length(dest), substr(carrier, 1, 1) || '-' || dest
FROM flights
ORDER BY time_hour, flight, carrier LIMIT 3;
SELECT tailnum FROM planes WHERE regexp_like(tailnum, '^N10[0-9]') ORDER BY tailnum;
SELECT array_agg(DISTINCT origin
ORDER BY origin), array_join(array_agg(DISTINCT carrier
ORDER BY carrier), '-')
FROM flights;
SELECT faa
FROM airports a
WHERE EXISTS (SELECT 1
FROM flights f
WHERE f.dest = a.faa)
ORDER BY faa LIMIT 10;
SELECT max_by(carrier, dep_delay), element_at(array[1, 2], 2) FROM flights;
SELECT count(*)
FROM flights
WHERE time_hour >= TIMESTAMP '2013-01-02 00:00:00' AND time_hour < TIMESTAMP '2013-01-03 00:00:00';
SELECT origin, month, count(*)
FROM flights
GROUP BY GROUPING SETS ((origin), (month), ())
ORDER BY 1, 2;
SELECT n, count(*)
FROM planes CROSS JOIN UNNEST(ARRAY[1, 2]) AS t (n)
GROUP BY n
ORDER BY n;
SELECT CAST(DATE '2013-01-31' AS varchar), DATE '2013-01-31' + INTERVAL '1' MONTH, true, NULL;
SELECT json_extract_scalar(_rescued, '$.x') FROM flights LIMIT 1;
SELECT year_built, count(*) FROM planes GROUP BY year_built ORDER BY year_built DESC LIMIT 5;
