// Packs what is paid: a worker that takes messages from the queue and goes on with the trace that each belongs to.
import http from 'node:http';
import { DeleteMessageCommand, ReceiveMessageCommand, SQSClient } from '@aws-sdk/client-sqs';
import AWSXRay from 'aws-xray-sdk';
import { post } from './lib/call.mjs';
import { about, endWithStarter, sleep } from './lib/service.mjs';

const { ORDERS_URL, QUEUE_URL } = process.env;

AWSXRay.captureHTTPsGlobal(http, true);
const options = {
  endpoint: new URL(QUEUE_URL).origin,
  region: 'eu-central-1',
  credentials: { accessKeyId: 'shop', secretAccessKey: 'shop' },
};
const receiver = new SQSClient(options); // waiting for work belongs to no trace
const queue = AWSXRay.captureAWSv3Client(new SQSClient(options));

/** Opens a segment below the one that sent the message, and does the work in it. */
async function inTrace(message, work) {
  const header = AWSXRay.utils.processTraceData(message.Attributes?.AWSTraceHeader);
  const segment = new AWSXRay.Segment('fulfilment', header.root, header.parent);
  await AWSXRay.getNamespace().runAndReturn(async () => {
    AWSXRay.setSegment(segment);
    try {
      await work(segment);
      segment.close();
    } catch (error) {
      segment.addFaultFlag();
      segment.close(error);
    }
  });
}

async function fulfil(message, segment) {
  const { order } = JSON.parse(message.Body);
  segment.addAnnotation('order', order);
  await AWSXRay.captureAsyncFunc('pack', async (subsegment) => {
    await sleep(about(120));
    subsegment.addMetadata('parcel', { order, shelf: order % 40 });
    subsegment.close();
  });
  await post(`${ORDERS_URL}/orders/${order}/shipped`);
  await queue.send(new DeleteMessageCommand({ QueueUrl: QUEUE_URL, ReceiptHandle: message.ReceiptHandle }));
}

endWithStarter();
process.stdout.write('listening 0\n');
for (;;) {
  const { Messages: messages = [] } = await receiver.send(
    new ReceiveMessageCommand({ QueueUrl: QUEUE_URL, WaitTimeSeconds: 5, MessageSystemAttributeNames: ['AWSTraceHeader'] }),
  );
  for (const message of messages) await inTrace(message, (segment) => fulfil(message, segment));
}
