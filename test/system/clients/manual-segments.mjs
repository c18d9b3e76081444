// The unmodified aws-xray-sdk-core in manual mode. Prints the ids of what it sent as JSON.
import { setTimeout as sleep } from 'node:timers/promises';
import AWSXRay from 'aws-xray-sdk-core';

AWSXRay.enableManualMode();

/** More subsegments than the SDK keeps: it streams them as documents of their own. */
function streamed(count) {
  const segment = new AWSXRay.Segment('batch');
  segment.addAnnotation('kind', 'streamed');
  const outer = segment.addNewSubsegment('outer');
  for (let number = 0; number < count; number++) {
    const subsegment = outer.addNewSubsegment(`step ${number}`);
    subsegment.addMetadata('number', number);
    subsegment.close();
  }
  outer.close();
  segment.close();
  return segment.trace_id;
}

/** One exception that goes up through two levels, and one call that is given up. */
async function failed() {
  const segment = new AWSXRay.Segment('nightly');
  const outer = segment.addNewSubsegment('load');
  const inner = outer.addNewSubsegment('parse');
  const error = new TypeError('no such column');
  inner.close(error);
  outer.close(error);
  await sleep(5); // the SDK counts milliseconds; so the order of the two is known
  const remote = segment.addNewSubsegment('inventory');
  remote.namespace = 'remote';
  remote.addThrottleFlag();
  remote.close();
  segment.addFaultFlag();
  segment.close(error);
  return segment.trace_id;
}

/** A caller and a callee that are the same process: the callee's segment hangs below the caller's subsegment. */
function linked() {
  const caller = new AWSXRay.Segment('sender');
  const call = caller.addNewSubsegment('receiver');
  call.namespace = 'remote';
  const callee = new AWSXRay.Segment('receiver', caller.trace_id, call.id);
  callee.close();
  call.close();
  caller.close();
  return caller.trace_id;
}

const sent = { streamed: streamed(250), failed: await failed(), linked: linked() };
// The SDK's socket is not waited for by Node; a moment for the last datagrams.
await sleep(300);
process.stdout.write(`${JSON.stringify(sent)}\n`);
