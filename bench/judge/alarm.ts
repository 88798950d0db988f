/**
 * The alarm that AWS SAM's guide shows for a deployment by CodeDeploy, AliasErrorMetricGreaterThanZeroAlarm: Errors of the alias,
 * Statistic Sum, Period 60, EvaluationPeriods 2, Threshold 0, GreaterThanThreshold. CodeDeploy goes back when it is in ALARM.
 * Sources: "Deploying serverless applications gradually with AWS SAM"; "Configuring how CloudWatch alarms treat missing data".
 */

/** Periods that must be over the threshold. */
const PERIODS = 2;
/** CloudWatch looks at somewhat more periods than it evaluates, so that late data does not blind it. */
const RANGE = PERIODS + 1;

/**
 * Whether the alarm is in ALARM. `errors`: of each closed minute, oldest first, null where there is no data. Missing data is
 * treated as `missing`, the default: the newest points that exist are taken, and too few of them raise no alarm here.
 */
export function alarmFires(errors: readonly (number | null)[]): boolean {
  const points = errors.slice(-RANGE).filter((point) => point !== null);
  return points.length >= PERIODS && points.slice(-PERIODS).every((point) => point > 0);
}
