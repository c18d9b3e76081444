/** What a resource's attributes say in a segment's `aws` and `service` blocks. */
import { findText } from './known-attributes.ts';
import type { OtlpAttributes, OtlpResource } from './model.ts';
import { plainValue } from './plain-value.ts';

type Block = Record<string, unknown>;

/** Member of the block → attribute. */
type Mapping = Readonly<Record<string, string>>;

const EC2: Mapping = {
  instance_id: 'host.id',
  availability_zone: 'cloud.availability_zone',
  instance_size: 'host.type',
  ami_id: 'host.image.id',
};
const ECS: Mapping = {
  container: 'container.name',
  container_id: 'container.id',
  container_arn: 'aws.ecs.container.arn',
  cluster_arn: 'aws.ecs.cluster.arn',
  task_arn: 'aws.ecs.task.arn',
  task_family: 'aws.ecs.task.family',
  launch_type: 'aws.ecs.launchtype',
};
const EKS: Mapping = { cluster_name: 'k8s.cluster.name', pod: 'k8s.pod.name', container_id: 'container.id' };
const BEANSTALK: Mapping = { environment_name: 'service.namespace', version_label: 'service.version' };

/** The `aws` block of a segment: where it runs and what recorded it. Undefined when the resource says neither. */
export function awsResourceBlock({ attributes }: OtlpResource, origin: string | undefined): Block | undefined {
  const block: Block = {};
  if (findText(attributes, 'cloud.provider') === 'aws' || origin !== undefined) {
    put(block, 'account_id', findText(attributes, 'cloud.account.id'));
    put(block, 'region', findText(attributes, 'cloud.region'));
    put(block, 'cloudwatch_logs', logGroups(attributes));
  }
  if (origin === 'AWS::EC2::Instance') put(block, 'ec2', mapped(attributes, EC2));
  if (origin?.startsWith('AWS::ECS::') === true) put(block, 'ecs', mapped(attributes, ECS));
  if (origin === 'AWS::EKS::Container') put(block, 'eks', mapped(attributes, EKS));
  if (origin === 'AWS::ElasticBeanstalk::Environment') put(block, 'elastic_beanstalk', mapped(attributes, BEANSTALK));
  put(block, 'xray', recorder(attributes));
  return Object.keys(block).length === 0 ? undefined : block;
}

/** The `service` block: the owning node's name and its version. */
export function serviceBlock({ attributes }: OtlpResource, name: string): Block {
  const block: Block = { name };
  put(block, 'version', findText(attributes, 'service.version'));
  return block;
}

function recorder(attributes: OtlpAttributes): Block | undefined {
  const language = findText(attributes, 'telemetry.sdk.language');
  if (language === undefined) return undefined;
  const name = findText(attributes, 'telemetry.sdk.name') ?? 'opentelemetry';
  const block: Block = { sdk: `${name} for ${language}` };
  put(block, 'sdk_version', findText(attributes, 'telemetry.sdk.version'));
  const automatic = findText(attributes, 'telemetry.distro.version') ?? findText(attributes, 'telemetry.auto.version');
  block['auto_instrumentation'] = automatic !== undefined;
  return block;
}

function logGroups(attributes: OtlpAttributes): readonly Block[] | undefined {
  const names = listOf(attributes, 'aws.log.group.names');
  const arns = listOf(attributes, 'aws.log.group.arns');
  const count = Math.max(names.length, arns.length);
  if (count === 0) return undefined;
  return Array.from({ length: count }, (_, index) => {
    const group: Block = {};
    put(group, 'log_group', names[index]);
    put(group, 'arn', arns[index]);
    return group;
  });
}

function listOf(attributes: OtlpAttributes, key: string): readonly unknown[] {
  const index = attributes.keys.lastIndexOf(key);
  const value = index < 0 ? undefined : plainValue(attributes.kinds[index], attributes.values[index]);
  if (Array.isArray(value)) return value;
  return value === undefined ? [] : [value];
}

function mapped(attributes: OtlpAttributes, mapping: Mapping): Block | undefined {
  const block: Block = {};
  for (const [name, key] of Object.entries(mapping)) put(block, name, findText(attributes, key));
  return Object.keys(block).length === 0 ? undefined : block;
}

function put(block: Block, name: string, value: unknown): void {
  if (value !== undefined) block[name] = value;
}
