/** ARNs against the region where they would be used. Which partition a region is in is the SDK's to know. */
import { partition } from '@aws-sdk/core/client';
import type { LambdaTarget } from '../../model/spec.js';

/** What is wrong with the ARN of a role, by the region where it would be used; null when nothing is. */
export function roleFault(arn: string, { region }: LambdaTarget): string | null {
  return partitionFault(arn, region);
}

/** What is wrong with the ARN of a layer version: Lambda takes those of the function's own region. */
export function layerFault(arn: string, { region }: LambdaTarget): string | null {
  const [, , , of] = arn.split(':');
  if (of !== region)
    return `is a layer of ${of}, and the function is in ${region} (use the layer's version in that region)`;
  return partitionFault(arn, region);
}

/** A region that the SDK does not know is not checked. */
function partitionFault(arn: string, region: string): string | null {
  const [, given] = arn.split(':');
  const { name, description } = partition(region) as { name: string; description?: string };
  if (given === name || (description === undefined && name === 'aws')) return null;
  return `is in the partition ${given}, and ${region} is in ${name} (write arn:${name}:…)`;
}
