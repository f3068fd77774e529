"""boto3's SQS client and resource against an endpoint: python3 boto3_sqs.py URL"""

import hashlib
import json
import sys
import threading
import time
import unittest
import uuid

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError

URL = sys.argv.pop()
ACCOUNT = "000000000000"


class SqsTour(unittest.TestCase):
    def setUp(self):
        self.sqs = boto3.client("sqs", endpoint_url=URL, config=Config(retries={"max_attempts": 0}))

    def tearDown(self):
        self.sqs.close()

    def create(self, suffix="", **attributes):
        name = f"tour-{uuid.uuid4().hex}{suffix}"
        return self.sqs.create_queue(QueueName=name, Attributes=attributes)["QueueUrl"]

    def fifo(self, **attributes):
        return self.create(".fifo", FifoQueue="true", **attributes)

    def arn(self, url):
        attributes = self.sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])
        return attributes["Attributes"]["QueueArn"]

    def receive(self, url, **more):
        arguments = {"MaxNumberOfMessages": 10, "AttributeNames": ["All"], "MessageAttributeNames": ["All"]}
        return self.sqs.receive_message(QueueUrl=url, **{**arguments, **more}).get("Messages", [])

    def remove(self, url, message):
        self.sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])

    def refused(self, code, function, **arguments):
        with self.assertRaises(ClientError) as caught:
            function(**arguments)
        self.assertEqual(caught.exception.response["Error"]["Code"], code)
        return caught.exception.response["Error"]["Message"]

    def test_a_message_with_attributes_comes_back(self):
        url = self.create()
        attributes = {
            "text": {"DataType": "String.color", "StringValue": "grün"},
            "number": {"DataType": "Number", "StringValue": "-1.5e10"},
            "bytes": {"DataType": "Binary", "BinaryValue": bytes(range(256))},
        }
        body = "tab\there, newline\nhere, emoji 🙂, <xml/> & \"quotes\""
        # boto3 compares the MD5 of body and attributes with its own.
        sent = self.sqs.send_message(QueueUrl=url, MessageBody=body, MessageAttributes=attributes)
        self.assertEqual(sent["MD5OfMessageBody"], hashlib.md5(body.encode()).hexdigest())
        (message,) = self.receive(url)
        self.assertEqual(message["Body"], body)
        self.assertEqual(message["MessageAttributes"], attributes)
        self.assertEqual(message["MessageId"], sent["MessageId"])
        self.assertEqual(message["Attributes"]["ApproximateReceiveCount"], "1")
        self.remove(url, message)
        self.assertEqual(self.receive(url), [])

    def test_attributes_are_filtered_by_name_and_prefix(self):
        url = self.create(VisibilityTimeout="0")
        values = {name: {"DataType": "String", "StringValue": name} for name in ["a.one", "a.two", "b"]}
        self.sqs.send_message(QueueUrl=url, MessageBody="x", MessageAttributes=values)
        (message,) = self.receive(url, MessageAttributeNames=["a.*"])
        self.assertEqual(sorted(message["MessageAttributes"]), ["a.one", "a.two"])
        (message,) = self.receive(url, MessageAttributeNames=["b"], AttributeNames=["SentTimestamp"])
        self.assertEqual(sorted(message["MessageAttributes"]), ["b"])
        self.assertEqual(sorted(message["Attributes"]), ["SentTimestamp"])
        (message,) = self.receive(url, MessageAttributeNames=[], AttributeNames=[])
        self.assertNotIn("MessageAttributes", message)
        self.assertNotIn("Attributes", message)

    def test_batches_of_ten(self):
        url = self.create()
        entries = [{"Id": str(number), "MessageBody": f"body {number}"} for number in range(10)]
        answer = self.sqs.send_message_batch(QueueUrl=url, Entries=entries)
        self.assertEqual(len(answer["Successful"]), 10)
        self.assertNotIn("Failed", answer)
        messages = []
        for _ in range(10):
            messages += self.receive(url)
        self.assertEqual(sorted(message["Body"] for message in messages), [f"body {n}" for n in range(10)])
        handles = [{"Id": str(n), "ReceiptHandle": m["ReceiptHandle"]} for n, m in enumerate(messages)]
        hidden = [{**entry, "VisibilityTimeout": 600} for entry in handles]
        self.assertEqual(len(self.sqs.change_message_visibility_batch(QueueUrl=url, Entries=hidden)["Successful"]), 10)
        self.assertEqual(len(self.sqs.delete_message_batch(QueueUrl=url, Entries=handles)["Successful"]), 10)

    def test_batches_that_the_service_refuses(self):
        url = self.create()
        send = lambda entries: dict(QueueUrl=url, Entries=entries)
        prefix = "AWS.SimpleQueueService."
        entry = lambda name: {"Id": name, "MessageBody": "x"}
        batch = self.sqs.send_message_batch
        self.refused(prefix + "TooManyEntriesInBatchRequest", batch, **send([entry(str(n)) for n in range(11)]))
        self.refused(prefix + "EmptyBatchRequest", batch, **send([]))
        self.refused(prefix + "BatchEntryIdsNotDistinct", batch, **send([entry("a"), entry("a")]))
        self.refused(prefix + "InvalidBatchEntryId", batch, **send([entry("no spaces")]))
        large = [{"Id": str(n), "MessageBody": "x" * 600_000} for n in range(2)]
        self.refused(prefix + "BatchRequestTooLong", batch, **send(large))

    def test_long_poll_ends_with_the_message(self):
        url = self.create(ReceiveMessageWaitTimeSeconds="20")
        timer = threading.Timer(0.5, lambda: self.sqs.send_message(QueueUrl=url, MessageBody="late"))
        timer.start()
        began = time.monotonic()
        (message,) = self.receive(url)
        timer.join()
        self.assertEqual(message["Body"], "late")
        self.assertLess(time.monotonic() - began, 20)

    def test_a_group_waits_for_the_message_in_hand(self):
        url = self.fifo()
        for number in range(4):
            self.sqs.send_message(
                QueueUrl=url, MessageBody=str(number), MessageGroupId="g", MessageDeduplicationId=str(number)
            )
        (first,) = self.receive(url, MaxNumberOfMessages=1)
        self.assertEqual(first["Body"], "0")
        self.assertEqual(self.receive(url), [])
        change = self.sqs.change_message_visibility
        change(QueueUrl=url, ReceiptHandle=first["ReceiptHandle"], VisibilityTimeout=0)
        self.assertEqual([message["Body"] for message in self.receive(url)], ["0", "1", "2", "3"])

    def test_deduplication_by_id_and_by_content(self):
        url = self.fifo(ContentBasedDeduplication="true")
        send = lambda body, **more: self.sqs.send_message(
            QueueUrl=url, MessageBody=body, MessageGroupId="g", **more
        )
        self.assertEqual(send("same")["MessageId"], send("same")["MessageId"])
        by_id = send("one", MessageDeduplicationId="id")
        self.assertEqual(send("other", MessageDeduplicationId="id")["MessageId"], by_id["MessageId"])
        self.assertEqual([message["Body"] for message in self.receive(url)], ["same", "one"])

    def test_a_receive_attempt_may_be_repeated(self):
        url = self.fifo(ContentBasedDeduplication="true")
        self.sqs.send_message(QueueUrl=url, MessageBody="x", MessageGroupId="g")
        (first,) = self.receive(url, ReceiveRequestAttemptId="attempt")
        (again,) = self.receive(url, ReceiveRequestAttemptId="attempt")
        self.assertEqual(first["MessageId"], again["MessageId"])

    def test_dead_letters_and_their_way_back(self):
        dead = self.create()
        policy = json.dumps({"deadLetterTargetArn": self.arn(dead), "maxReceiveCount": 2})
        url = self.create(VisibilityTimeout="0", RedrivePolicy=policy)
        self.sqs.send_message(QueueUrl=url, MessageBody="poison")
        self.assertEqual([len(self.receive(url)) for _ in range(3)], [1, 1, 0])
        (message,) = self.receive(dead, VisibilityTimeout=0)
        self.assertEqual(message["Attributes"]["DeadLetterQueueSourceArn"], self.arn(url))
        self.assertEqual(self.sqs.list_dead_letter_source_queues(QueueUrl=dead)["queueUrls"], [url])

    def test_a_dead_letter_queue_must_be_of_the_same_type(self):
        policy = json.dumps({"deadLetterTargetArn": self.arn(self.create()), "maxReceiveCount": 1})
        self.refused("InvalidParameterValue", self.sqs.create_queue, QueueName="mixed.fifo", Attributes={
            "FifoQueue": "true", "RedrivePolicy": policy,
        })

    def test_purge(self):
        url = self.create()
        self.sqs.send_message(QueueUrl=url, MessageBody="x")
        self.sqs.purge_queue(QueueUrl=url)
        self.assertEqual(self.receive(url), [])
        self.refused("AWS.SimpleQueueService.PurgeQueueInProgress", self.sqs.purge_queue, QueueUrl=url)

    def test_the_resource_interface(self):
        resource = boto3.resource("sqs", endpoint_url=URL)
        queue = resource.create_queue(QueueName=f"tour-{uuid.uuid4().hex}", Attributes={"DelaySeconds": "0"})
        queue.send_message(MessageBody="x", MessageAttributes={"a": {"DataType": "String", "StringValue": "1"}})
        (message,) = queue.receive_messages(MessageAttributeNames=["All"], WaitTimeSeconds=5)
        self.assertEqual((message.body, message.message_attributes["a"]["StringValue"]), ("x", "1"))
        message.change_visibility(VisibilityTimeout=60)
        message.delete()
        queue.load()
        self.assertEqual(queue.attributes["ApproximateNumberOfMessagesNotVisible"], "0")
        queue.delete()
        resource.meta.client.close()

    def test_what_the_service_refuses(self):
        url = self.create(MaximumMessageSize="1024")
        self.refused("InvalidParameterValue", self.sqs.send_message, QueueUrl=url, MessageBody="x" * 1025)
        self.refused("InvalidMessageContents", self.sqs.send_message, QueueUrl=url, MessageBody="\x01")
        self.refused("ReceiptHandleIsInvalid", self.sqs.delete_message, QueueUrl=url, ReceiptHandle="nonsense")
        self.refused("InvalidParameterValue", self.sqs.create_queue, QueueName="no spaces")
        self.refused("InvalidAttributeName", self.sqs.get_queue_attributes, QueueUrl=url, AttributeNames=["Colour"])
        name = url.rsplit("/", 1)[1]
        self.refused("QueueAlreadyExists", self.sqs.create_queue, QueueName=name, Attributes={
            "VisibilityTimeout": "77",
        })
        self.sqs.delete_queue(QueueUrl=url)
        self.refused("AWS.SimpleQueueService.NonExistentQueue", self.sqs.send_message, QueueUrl=url, MessageBody="x")
        self.refused("AWS.SimpleQueueService.QueueDeletedRecently", self.sqs.create_queue, QueueName=name)


if __name__ == "__main__":
    unittest.main()
