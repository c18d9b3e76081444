import {
  Box,
  Cloud,
  Container,
  Cpu,
  Database,
  Globe,
  HardDrive,
  Inbox,
  MonitorSmartphone,
  Network,
  Server,
  Table2,
  Workflow,
  Zap,
  type LucideIcon,
} from 'lucide-react';

/** First match of the type's text wins; the set of types is open. */
const ICONS: readonly (readonly [RegExp, LucideIcon, string])[] = [
  [/^client$/, MonitorSmartphone, 'Clients'],
  [/^remote$/, Globe, 'Remote service'],
  [/lambda/i, Zap, 'Lambda'],
  [/dynamodb/i, Table2, 'DynamoDB'],
  [/^database|sql|rds|redis|elasticache|mongo/i, Database, 'Database'],
  [/sqs|sns|kinesis|events|queue|kafka|mq/i, Inbox, 'Queue'],
  [/s3|efs|storage/i, HardDrive, 'Storage'],
  [/apigateway|appsync|appmesh|elb|loadbalanc/i, Network, 'Gateway'],
  [/ecs|eks|container|apprunner|fargate/i, Container, 'Container'],
  [/stepfunctions/i, Workflow, 'Step Functions'],
  [/ec2|instance/i, Cpu, 'EC2 instance'],
  [/beanstalk/i, Server, 'Elastic Beanstalk'],
  [/^aws::/i, Cloud, 'AWS service'],
];

export function NodeIcon({ type, size = 18 }: { readonly type: string; readonly size?: number }) {
  const Icon = ICONS.find(([pattern]) => pattern.test(type))?.[1] ?? Box;
  return <Icon size={size} strokeWidth={1.75} aria-hidden className="shrink-0" />;
}

/** `AWS::DynamoDB::Table` → `DynamoDB Table`; the known short words stay. */
export function typeLabel(type: string): string {
  if (type === '' || type === 'unknown') return 'Service';
  if (type === 'client') return 'Clients';
  if (type === 'remote') return 'Remote service';
  return type
    .replace(/^AWS::/, '')
    .replace(/^Database::/, '')
    .replaceAll('::', ' ');
}
