// A queue that speaks as much of Amazon SQS's protocol as its real client needs: send, receive with waiting, delete.
// As SQS does, it keeps the sender's trace header and hands it to the receiver as the attribute AWSTraceHeader.
import { createHash, randomUUID } from 'node:crypto';
import http from 'node:http';
import { serve } from './lib/service.mjs';

const waiting = [];
const receivers = [];
const md5 = (text) => createHash('md5').update(text).digest('hex');

const operations = {
  SendMessage({ MessageBody: body }, traceHeader) {
    const message = {
      MessageId: randomUUID(),
      ReceiptHandle: randomUUID(),
      Body: body,
      MD5OfBody: md5(body),
      Attributes: traceHeader ? { AWSTraceHeader: traceHeader } : {},
    };
    const receiver = receivers.shift();
    if (receiver) receiver([message]);
    else waiting.push(message);
    return { MessageId: message.MessageId, MD5OfMessageBody: message.MD5OfBody };
  },

  async ReceiveMessage({ WaitTimeSeconds: seconds = 0 }) {
    if (waiting.length > 0) return { Messages: [waiting.shift()] };
    const messages = await new Promise((resolve) => {
      receivers.push(resolve);
      setTimeout(() => {
        const at = receivers.indexOf(resolve);
        if (at >= 0) receivers.splice(at, 1);
        resolve([]); // does nothing when a message came
      }, seconds * 1000);
    });
    return { Messages: messages };
  },

  DeleteMessage: () => ({}), // a message is handed out once
};

serve(
  http.createServer(async (request, response) => {
    const chunks = [];
    for await (const chunk of request) chunks.push(chunk);
    const operation = operations[String(request.headers['x-amz-target']).replace('AmazonSQS.', '')];
    const reply = (status, body) =>
      response
        .writeHead(status, { 'content-type': 'application/x-amz-json-1.0', 'x-amzn-requestid': randomUUID() })
        .end(JSON.stringify(body));
    if (!operation)
      return reply(400, { __type: 'com.amazonaws.sqs#UnsupportedOperation', message: 'this queue can send, receive and delete' });
    reply(200, await operation(JSON.parse(Buffer.concat(chunks).toString()), request.headers['x-amzn-trace-id']));
  }),
);
