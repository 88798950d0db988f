/** Commands for callers that keep the function's address in their own configuration. Pure. */
import { word } from '../commands.js';
import type { Permission } from './permission.js';

/** From one address of the function to another, as full ARNs. */
export interface Way {
  from: string;
  to: string;
}

/** How a caller that a permission is for is pointed at the other address: a sentence with commands. */
export function byHand({ Principal = '', SourceArn = '' }: Permission, way: Way): string {
  const [, , , region = '', , ...rest] = SourceArn.split(':');
  const source = rest.join(':');
  const at = region === '' ? '' : ` --region ${word(region)}`;
  switch (Principal) {
    case 'apigateway.amazonaws.com':
      return api(source.split('/')[0] ?? '', at, way);
    case 's3.amazonaws.com':
      return bucket(source, way);
    case 'sns.amazonaws.com':
      return `\`aws sns subscribe${at} --topic-arn ${word(SourceArn)} --protocol lambda --notification-endpoint ${word(way.to)}\`, then remove the subscription of ${way.from}, which \`aws sns list-subscriptions-by-topic${at} --topic-arn ${word(SourceArn)}\` shows, with \`aws sns unsubscribe${at} --subscription-arn SUBSCRIPTION\`; between the two each message comes twice`;
    case 'events.amazonaws.com':
      return rule(source, at, way);
    default:
      return `point ${word(Principal)} at ${way.to} instead of ${way.from}`;
  }
}

/** A permission does not say whether an API is a REST or an HTTP one. */
function api(id: string, at: string, { to }: Way): string {
  const [, partition = 'aws', , region = ''] = to.split(':');
  const uri = `arn:${partition}:apigateway:${region}:lambda:path/2015-03-31/functions/${to}/invocations`;
  return [
    `an HTTP API: \`aws apigatewayv2 update-integration${at} --api-id ${word(id)} --integration-id INTEGRATION --integration-uri ${word(to)}\` (\`aws apigatewayv2 get-integrations${at} --api-id ${word(id)}\` lists them)`,
    `a REST API: \`aws apigateway update-integration${at} --rest-api-id ${word(id)} --resource-id RESOURCE --http-method METHOD --patch-operations op=replace,path=/uri,value=${word(uri)}\` for each method, then \`aws apigateway create-deployment${at} --rest-api-id ${word(id)} --stage-name STAGE\``,
  ].join('; ');
}

function bucket(name: string, way: Way): string {
  return `\`aws s3api get-bucket-notification-configuration --bucket ${word(name)} | ${replaced(way)} > notification.json && aws s3api put-bucket-notification-configuration --bucket ${word(name)} --notification-configuration file://notification.json\``;
}

/** `rule/NAME` on the default bus, `rule/BUS/NAME` on another. */
function rule(source: string, at: string, way: Way): string {
  const parts = source.split('/').slice(1);
  const name = parts.pop() ?? '';
  const bus = parts.length === 0 ? '' : ` --event-bus-name ${word(parts.join('/'))}`;
  const of = `${at} --rule ${word(name)}${bus}`;
  return `\`aws events put-targets${of} --targets "$(aws events list-targets-by-rule${of} --query Targets --output json | ${replaced(way)})"\``;
}

function replaced({ from, to }: Way): string {
  return `sed 's|"${from}"|"${to}"|'`;
}
