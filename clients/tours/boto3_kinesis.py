"""boto3's Kinesis client against an endpoint: python3 boto3_kinesis.py URL"""

import datetime
import hashlib
import sys
import time
import unittest
import uuid

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError, ParamValidationError

URL = sys.argv.pop()
UTC = datetime.timezone.utc


class KinesisTour(unittest.TestCase):
    def setUp(self):
        # boto3 tries again by itself what a rate limit refuses, such as a sixth CreateStream in a second.
        self.kinesis = boto3.client("kinesis", endpoint_url=URL)
        self.stream = f"tour-{uuid.uuid4().hex}"
        self.create(2)

    def tearDown(self):
        self.kinesis.close()

    def create(self, shards):
        self.kinesis.create_stream(StreamName=self.stream, ShardCount=shards)
        self.kinesis.get_waiter("stream_exists").wait(StreamName=self.stream)

    def put(self, data, key="a", **more):
        return self.kinesis.put_record(StreamName=self.stream, Data=data, PartitionKey=key, **more)

    def iterator(self, shard, kind="TRIM_HORIZON", **more):
        answer = self.kinesis.get_shard_iterator(
            StreamName=self.stream, ShardId=shard, ShardIteratorType=kind, **more
        )
        return answer["ShardIterator"]

    def read(self, shard, kind="TRIM_HORIZON", **more):
        """Everything from there to the end of what there is."""
        return self.read_on(self.iterator(shard, kind, **more))[0]

    def read_on(self, iterator, to_the_end=False):
        """The records, and the last answer; at most 5 requests, which the service allows in a second."""
        records = []
        for _ in range(5):
            answer = self.kinesis.get_records(ShardIterator=iterator)
            records += answer["Records"]
            iterator = answer.get("NextShardIterator")
            if iterator is None or (answer["MillisBehindLatest"] == 0 and not to_the_end):
                return records, answer
        self.fail("there is no end to be seen")

    def refused(self, code, function, **arguments):
        with self.assertRaises(ClientError) as caught:
            function(**arguments)
        self.assertEqual(caught.exception.response["Error"]["Code"], code)
        return caught.exception.response["Error"]["Message"]

    def test_every_byte_comes_back(self):
        data = bytes(range(256)) * 4
        put = self.put(data)
        (record,) = self.read(put["ShardId"])
        self.assertEqual(record["Data"], data)
        self.assertEqual(record["SequenceNumber"], put["SequenceNumber"])
        self.assertEqual(record["PartitionKey"], "a")
        age = datetime.datetime.now(UTC) - record["ApproximateArrivalTimestamp"]
        self.assertLess(abs(age.total_seconds()), 60)

    def test_a_key_lies_where_its_md5_says(self):
        shards = self.kinesis.list_shards(StreamName=self.stream)["Shards"]
        for key in ["a", "b", "ключ", "🔑", "x" * 256]:
            place = int(hashlib.md5(key.encode()).hexdigest(), 16)
            (expected,) = [
                shard["ShardId"]
                for shard in shards
                if int(shard["HashKeyRange"]["StartingHashKey"]) <= place
                and place <= int(shard["HashKeyRange"]["EndingHashKey"])
            ]
            self.assertEqual(self.put(b"x", key)["ShardId"], expected)

    def test_a_full_request_is_read_in_order(self):
        records = [{"Data": f"{number}".encode(), "PartitionKey": f"{number % 7}"} for number in range(500)]
        answer = self.kinesis.put_records(StreamName=self.stream, Records=records)
        self.assertEqual(answer["FailedRecordCount"], 0)
        self.assertEqual(len(answer["Records"]), 500)
        read = self.read("shardId-000000000000") + self.read("shardId-000000000001")
        self.assertEqual(len(read), 500)
        for key in range(7):
            numbers = [int(record["Data"]) for record in read if record["PartitionKey"] == f"{key}"]
            self.assertEqual(numbers, list(range(key, 500, 7)))

    def test_iterators_of_each_kind(self):
        first, second, third = (self.put(data) for data in [b"1", b"2", b"3"])
        shard, number = first["ShardId"], second["SequenceNumber"]
        data = lambda *place, **more: [record["Data"] for record in self.read(shard, *place, **more)]
        self.assertEqual(data("TRIM_HORIZON"), [b"1", b"2", b"3"])
        self.assertEqual(data("AT_SEQUENCE_NUMBER", StartingSequenceNumber=number), [b"2", b"3"])
        self.assertEqual(data("AFTER_SEQUENCE_NUMBER", StartingSequenceNumber=number), [b"3"])
        self.assertEqual(data("LATEST"), [])

    def test_at_timestamp_begins_where_the_time_says(self):
        shard = self.put(b"old")["ShardId"]
        # boto3 sends whole seconds.
        time.sleep(2)
        self.put(b"new")
        times = [record["ApproximateArrivalTimestamp"] for record in self.read(shard)]
        data = lambda time: [record["Data"] for record in self.read(shard, "AT_TIMESTAMP", Timestamp=time)]
        self.assertEqual(data(times[0]), [b"old", b"new"])
        self.assertEqual(data(times[1]), [b"new"])

    def test_limit_and_lag(self):
        shard = self.put(b"1")["ShardId"]
        self.put(b"2")
        answer = self.kinesis.get_records(ShardIterator=self.iterator(shard), Limit=1)
        self.assertEqual([record["Data"] for record in answer["Records"]], [b"1"])
        rest = self.kinesis.get_records(ShardIterator=answer["NextShardIterator"])
        self.assertEqual([record["Data"] for record in rest["Records"]], [b"2"])
        self.assertEqual(rest["MillisBehindLatest"], 0)

    def test_a_split_ends_a_shard_and_names_its_children(self):
        self.put(b"before", ExplicitHashKey="0")
        half = str(2**126)
        self.kinesis.split_shard(
            StreamName=self.stream, ShardToSplit="shardId-000000000000", NewStartingHashKey=half
        )
        self.kinesis.get_waiter("stream_exists").wait(StreamName=self.stream)
        records, answer = self.read_on(self.iterator("shardId-000000000000"), to_the_end=True)
        self.assertEqual([record["Data"] for record in records], [b"before"])
        children = answer["ChildShards"]
        self.assertEqual([child["ParentShards"] for child in children], [["shardId-000000000000"]] * 2)
        self.assertEqual(self.put(b"after", ExplicitHashKey="0")["ShardId"], children[0]["ShardId"])

    def test_list_shards_in_pages(self):
        seen, more = [], {"StreamName": self.stream}
        for _ in range(3):
            page = self.kinesis.list_shards(MaxResults=1, **more)
            seen += [shard["ShardId"] for shard in page["Shards"]]
            if "NextToken" not in page:
                break
            more = {"NextToken": page["NextToken"]}
        self.assertEqual(seen, ["shardId-000000000000", "shardId-000000000001"])

    def test_paginators(self):
        pages = self.kinesis.get_paginator("list_streams").paginate(PaginationConfig={"PageSize": 1})
        self.assertIn(self.stream, [name for page in pages for name in page["StreamNames"]])
        pages = self.kinesis.get_paginator("describe_stream").paginate(
            StreamName=self.stream, PaginationConfig={"PageSize": 1}
        )
        shards = [shard for page in pages for shard in page["StreamDescription"]["Shards"]]
        self.assertEqual(len(shards), 2)

    def test_tags(self):
        self.kinesis.add_tags_to_stream(StreamName=self.stream, Tags={"b": "2", "a": "1", "c": ""})
        self.kinesis.remove_tags_from_stream(StreamName=self.stream, TagKeys=["b"])
        answer = self.kinesis.list_tags_for_stream(StreamName=self.stream)
        self.assertEqual(answer["Tags"], [{"Key": "a", "Value": "1"}, {"Key": "c", "Value": ""}])

    def test_what_the_service_refuses(self):
        put = self.kinesis.put_record
        message = self.refused("ResourceNotFoundException", put, StreamName="nowhere", Data=b"", PartitionKey="a")
        self.assertIn("nowhere", message)
        place = {"StreamName": self.stream, "PartitionKey": "a"}
        message = self.refused("InvalidArgumentException", put, Data=b"x" * (1024 * 1024 + 1), **place)
        self.assertIn("exceeds the maximum record size", message)
        unchecked = boto3.client("kinesis", endpoint_url=URL, config=Config(parameter_validation=False))
        message = self.refused("ValidationException", unchecked.put_records, StreamName=self.stream, Records=[])
        self.assertIn("records", message)
        self.refused("SerializationException", unchecked.list_streams, Limit="ten")
        unchecked.close()
        with self.assertRaises(ParamValidationError):
            self.kinesis.put_records(StreamName=self.stream, Records=[])

    def test_a_throttled_shard_refuses_entries_one_by_one(self):
        records = [{"Data": b"x" * 100_000, "PartitionKey": "a"} for _ in range(30)]
        answer = self.kinesis.put_records(StreamName=self.stream, Records=records)
        failed = [result for result in answer["Records"] if "ErrorCode" in result]
        self.assertEqual(len(failed), answer["FailedRecordCount"])
        self.assertTrue(0 < len(failed) < 30)
        codes = {result["ErrorCode"] for result in failed}
        self.assertEqual(codes, {"ProvisionedThroughputExceededException"})
        self.assertIn(self.stream, failed[0]["ErrorMessage"])

    def test_delete(self):
        self.kinesis.delete_stream(StreamName=self.stream)
        self.kinesis.get_waiter("stream_not_exists").wait(StreamName=self.stream)
        self.refused("ResourceNotFoundException", self.kinesis.describe_stream, StreamName=self.stream)


if __name__ == "__main__":
    unittest.main()
