/** The least that a worker's role needs on Lambda, as the policy that docs/platforms.md shows. */

/**
 * Actions by what they are for. Those of `rollout` are needed by every rollout, the others by specs that ask for them. The
 * emulated AWS refuses the rest in the conformance suite; AWS itself has not been asked whether each is enough.
 */
export const ACTIONS = {
  rollout: [
    'cloudwatch:GetMetricData',
    'lambda:GetAlias',
    'lambda:GetFunction',
    'lambda:GetFunctionConfiguration',
    'lambda:GetPolicy',
    'lambda:GetProvisionedConcurrencyConfig',
    'lambda:InvokeFunction',
    'lambda:ListAliases',
    'lambda:ListEventSourceMappings',
    'lambda:ListFunctionUrlConfigs',
    'lambda:ListVersionsByFunction',
    'lambda:PublishVersion',
    'lambda:UpdateAlias',
    'lambda:UpdateFunctionCode',
    'lambda:UpdateFunctionConfiguration',
  ],
  /** The function or its alias does not exist yet; a first release that is rolled back. */
  create: ['iam:PassRole', 'lambda:CreateAlias', 'lambda:CreateFunction', 'lambda:DeleteAlias'],
  /** `configuration.provisionedConcurrency`. */
  capacity: [
    'lambda:DeleteProvisionedConcurrencyConfig',
    'lambda:GetAccountSettings',
    'lambda:PutProvisionedConcurrencyConfig',
  ],
  /** Old releases, after the rollback window. */
  retire: ['lambda:DeleteFunction'],
  /** `allowBypass`. */
  bypass: ['lambda:GetFunctionCodeSigningConfig'],
  /** Whether a stack owns the function; without it `plan` says that it could not look. */
  stack: ['lambda:ListTags'],
  /** `sluice adopt --move-callers`. */
  move: [
    'lambda:AddPermission',
    'lambda:ListTags',
    'lambda:RemovePermission',
    'lambda:TagResource',
    'lambda:UntagResource',
    'lambda:UpdateEventSourceMapping',
  ],
  /** `sluice sweep`. */
  sweep: ['lambda:ListFunctions'],
  /** Metrics and alarms, and the candidate's most frequent errors. */
  health: ['cloudwatch:DescribeAlarms', 'logs:FilterLogEvents'],
} as const;
