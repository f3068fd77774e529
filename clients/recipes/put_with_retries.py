"""Writes every line of standard input to a Kinesis stream; sends again only the records that failed.

    python3 put_with_retries.py STREAM < lines.txt

Where to write comes from boto3 itself: its configuration, or --endpoint-url.
"""

import argparse
import random
import sys
import time

import boto3
from botocore.config import Config

MAX_RECORDS = 500
MAX_ATTEMPTS = 12


def put_with_retries(kinesis, stream, records):
    """Puts at most 500 records. Returns how often it had to ask again, and how many records that were."""
    throttled = 0
    for attempt in range(MAX_ATTEMPTS):
        if attempt > 0:
            # Growing waits with full jitter: two writers that were throttled together do not come back together.
            time.sleep(random.uniform(0, min(5.0, 0.1 * 2**attempt)))
        response = kinesis.put_records(StreamName=stream, Records=records)
        if response["FailedRecordCount"] == 0:
            return attempt, throttled
        results = zip(records, response["Records"])
        records = [record for record, result in results if "ErrorCode" in result]
        throttled += len(records)
    raise RuntimeError(f"{len(records)} records were still refused after {MAX_ATTEMPTS} attempts")


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("stream")
    parser.add_argument("--endpoint-url")
    options = parser.parse_args()
    # The waits are this program's own: boto3 shall not add others.
    config = Config(retries={"mode": "standard", "max_attempts": 1})
    kinesis = boto3.client("kinesis", endpoint_url=options.endpoint_url, config=config)

    lines = [line.rstrip("\n") for line in sys.stdin]
    retries = throttled = 0
    for start in range(0, len(lines), MAX_RECORDS):
        part = lines[start : start + MAX_RECORDS]
        records = [{"Data": line.encode(), "PartitionKey": line.split(",")[0]} for line in part]
        again, refused = put_with_retries(kinesis, options.stream, records)
        retries += again
        throttled += refused
    print(f"{len(lines)} records put, {throttled} throttled and put again in {retries} further requests")


if __name__ == "__main__":
    main()
