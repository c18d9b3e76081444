/** OTLP over HTTP (`POST /v1/traces`) and gRPC. Acknowledged when it is on the disk. */
import { Server as GrpcServer, ServerCredentials, status as GrpcStatus, type sendUnaryData, type ServerUnaryCall } from '@grpc/grpc-js';
import type { FastifyInstance } from 'fastify';
import type { CallResult, Pipeline } from '../ingest/index.ts';
import {
  encodeResponse,
  encodeResponseJson,
  encodeStatus,
  encodeStatusJson,
  type PartialSuccess,
  RpcCode,
  traceService,
} from '../otlp/index.ts';
import { decodeBody } from './body.ts';
import { type Address, addressText, portError } from './listen.ts';

const RETRY_AFTER_SECONDS = 1;
const MAX_MESSAGE_BYTES = 64 * 1024 * 1024;

type Encoding = 'protobuf' | 'json';

/** Registers `POST /v1/traces`. Bodies must arrive as buffers. */
export function registerOtlp(app: FastifyInstance, pipeline: Pipeline): void {
  app.post('/v1/traces', async (request, reply) => {
    const type = String(request.headers['content-type'] ?? '')
      .split(';')[0]!
      .trim();
    const encoding: Encoding = type === 'application/json' ? 'json' : 'protobuf';
    const answer = (status: number, code: RpcCode, message: string): unknown => {
      const body = encoding === 'json' ? encodeStatusJson(code, message) : Buffer.from(encodeStatus(code, message));
      return reply
        .code(status)
        .type(encoding === 'json' ? 'application/json' : 'application/x-protobuf')
        .send(body);
    };
    if (type !== 'application/json' && type !== 'application/x-protobuf' && type !== 'application/protobuf') {
      return answer(415, RpcCode.invalidArgument, `content-type ${type || 'is missing'}: send application/x-protobuf or application/json`);
    }
    const body = await decodeBody((request.body as Buffer | undefined) ?? Buffer.alloc(0), request.headers['content-encoding']);
    if (!body.ok) return answer(body.error.status, RpcCode.invalidArgument, body.error.message);
    const result = await pipeline.putSpans('otlp-http', encoding, body.value);
    if (!result.ok && result.error.kind === 'busy') {
      void reply.header('retry-after', String(RETRY_AFTER_SECONDS));
      return answer(429, RpcCode.resourceExhausted, result.error.message);
    }
    if (!result.ok) return answer(400, RpcCode.invalidArgument, result.error.message);
    const partial = partialSuccess(result);
    if (encoding === 'json') return reply.type('application/json').send(encodeResponseJson(partial));
    return reply.type('application/x-protobuf').send(Buffer.from(encodeResponse(partial)));
  });
}

function partialSuccess(result: CallResult): PartialSuccess | undefined {
  if (!result.ok || result.value.rejected === 0) return undefined;
  const first = result.value.refusals[0];
  return { rejectedSpans: result.value.rejected, errorMessage: first ? `${first.code}: ${first.message}` : '' };
}

/** OTLP's gRPC listener. */
export class OtlpGrpc {
  readonly address: Address;
  readonly #server: GrpcServer;

  private constructor(server: GrpcServer, address: Address) {
    this.#server = server;
    this.address = address;
  }

  /** Throws `PortError` when the port cannot be had. */
  static async start(address: Address, pipeline: Pipeline): Promise<OtlpGrpc> {
    const server = new GrpcServer({
      'grpc.max_receive_message_length': MAX_MESSAGE_BYTES,
      'grpc.so_reuseport': 0, // a second server on the same port must fail, not share it
    });
    server.addService(traceService, { Export: (call: UnaryCall, done: UnaryDone) => void exportSpans(pipeline, call, done) });
    const port = await new Promise<number>((resolve, reject) => {
      server.bindAsync(addressText(address), ServerCredentials.createInsecure(), (cause, bound) => {
        if (cause)
          reject(portError({ code: codeOf(cause), message: cause.message }, address, 'the OTLP gRPC listener', '--otlp-grpc', 'tcp'));
        else resolve(bound);
      });
    });
    return new OtlpGrpc(server, { host: address.host, port });
  }

  async stop(): Promise<void> {
    const limit = setTimeout(() => this.#server.forceShutdown(), 2_000);
    await new Promise<void>((done) => this.#server.tryShutdown(() => done()));
    clearTimeout(limit);
  }
}

type UnaryCall = ServerUnaryCall<Uint8Array, Uint8Array>;
type UnaryDone = sendUnaryData<Uint8Array>;

async function exportSpans(pipeline: Pipeline, call: UnaryCall, done: UnaryDone): Promise<void> {
  const result = await pipeline.putSpans('otlp-grpc', 'protobuf', call.request);
  if (result.ok) return done(null, encodeResponse(partialSuccess(result)));
  const busy = result.error.kind === 'busy';
  // Unavailable is what exporters retry.
  return done({ code: busy ? GrpcStatus.UNAVAILABLE : GrpcStatus.INVALID_ARGUMENT, details: result.error.message });
}

/** grpc-js wraps the system's error in text. */
function codeOf(cause: Error): string | undefined {
  return /\b(E[A-Z]{4,})\b/.exec(cause.message)?.[1];
}
