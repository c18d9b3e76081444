/** The X-Ray API over HTTP: every operation at its path, every error as AWS's clients decode it. Signatures are not looked at. */
import { randomUUID } from 'node:crypto';
import type { FastifyError, FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { type AwsError, errorBody, errorHeaders, errorOfStatus, OPERATIONS, unknownOperation } from '../xray/index.ts';
import { decodeBody } from './body.ts';
import { type XRayBackend, XRayService } from './xray-service.ts';

/** When to come back after 429 and 503. */
const RETRY_AFTER_SECONDS = 1;

/**
 * Registers the operations. The instance must ignore trailing and doubled slashes (`routerOptions`), which some clients send. What else
 * the instance serves is not touched.
 */
export function registerXRay(app: FastifyInstance, backend: XRayBackend): void {
  const service = new XRayService(backend);
  app.register(async (scope) => {
    scope.removeAllContentTypeParsers();
    scope.addContentTypeParser('*', { parseAs: 'buffer' }, (_request, body, done) => done(null, body));
    // Clients send several types, none, or nonsense; it is JSON in any case.
    scope.addHook('onRequest', async (request) => {
      request.raw.headers['content-type'] = 'application/json';
    });
    scope.setErrorHandler((cause: FastifyError, request, reply) => sendError(reply, toAwsError(cause, request)));
    for (const operation of OPERATIONS) {
      scope.post(operation.path, async (request, reply) => {
        const body = await decodeBody((request.body as Buffer | undefined) ?? Buffer.alloc(0), request.headers['content-encoding']);
        if (!body.ok) return sendError(reply, errorOfStatus(body.error.status, body.error.message));
        const answer = await service.answer(operation.name, body.value, { userAgent: request.headers['user-agent'] });
        if (!answer.ok) return sendError(reply, answer.error);
        return named(reply).type('application/json').send(JSON.stringify(answer.value));
      });
    }
  });
}

/** For whatever has no route: an error that clients of AWS can read, whatever they asked for. */
export function answerUnknownOperation(request: FastifyRequest, reply: FastifyReply): FastifyReply {
  return sendError(reply, unknownOperation(request.method, request.url.split('?')[0] ?? '/'));
}

function sendError(reply: FastifyReply, error: AwsError): FastifyReply {
  if (error.status === 429 || error.status === 503) void reply.header('retry-after', String(RETRY_AFTER_SECONDS));
  return named(reply).code(error.status).headers(errorHeaders(error)).send(errorBody(error));
}

/** Every answer of AWS has an id that can be named when asking for help. */
function named(reply: FastifyReply): FastifyReply {
  return reply.header('x-amzn-requestid', randomUUID());
}

function toAwsError(cause: FastifyError, request: FastifyRequest): AwsError {
  const status = cause.statusCode ?? 500;
  if (status < 500) return errorOfStatus(status, cause.message);
  request.log.error({ err: cause, path: request.url }, 'an X-Ray operation failed');
  return errorOfStatus(status, 'The server failed; its log says why.');
}
