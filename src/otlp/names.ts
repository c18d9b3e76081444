import { findText } from './known-attributes.ts';
import type { OtlpResource } from './model.ts';

/** ASCII that X-Ray allows in names, which is nearly every name: nothing to do. */
const PLAIN_NAME = /^[\w .:/%&#=+\-@]{1,200}$/;
const FORBIDDEN = /[^ 0-9\p{L}_.:/%&#=+\-@]/gu;
const MAX_NAME_LENGTH = 200;

/** What OpenTelemetry SDKs call a service that was not given a name. */
const UNNAMED_SERVICE = 'unknown_service';

/** The name with what X-Ray does not allow in names left out, at most 200 characters; `fallback` when nothing remains. */
export function cleanName(name: string, fallback: string): string {
  if (PLAIN_NAME.test(name)) return name;
  const clean = name.replace(FORBIDDEN, '').slice(0, MAX_NAME_LENGTH);
  return clean === '' ? fallback : clean;
}

/** What every span of a resource has in common. */
export interface ResourceFacts {
  /** Name of the node that the spans belong to. */
  readonly service: string;
  /** X-Ray's resource type; undefined for what does not run on AWS. */
  readonly origin: string | undefined;
}

/** Reads a resource once for all its spans. */
export function resourceFacts(resource: OtlpResource): ResourceFacts {
  const name = findText(resource.attributes, 'service.name') ?? UNNAMED_SERVICE;
  return { service: cleanName(name, UNNAMED_SERVICE), origin: originOf(resource) };
}

const ORIGINS: ReadonlyMap<string, string> = new Map([
  ['aws_app_runner', 'AWS::AppRunner::Service'],
  ['aws_eks', 'AWS::EKS::Container'],
  ['aws_elastic_beanstalk', 'AWS::ElasticBeanstalk::Environment'],
  ['aws_ec2', 'AWS::EC2::Instance'],
  ['aws_lambda', 'AWS::Lambda::Function'],
]);

function originOf({ attributes }: OtlpResource): string | undefined {
  const platform = findText(attributes, 'cloud.platform');
  if (platform === undefined) return undefined;
  if (platform !== 'aws_ecs') return ORIGINS.get(platform);
  const launchType = findText(attributes, 'aws.ecs.launchtype')?.toLowerCase();
  if (launchType === 'ec2') return 'AWS::ECS::EC2';
  return launchType === 'fargate' ? 'AWS::ECS::Fargate' : 'AWS::ECS::Container';
}
