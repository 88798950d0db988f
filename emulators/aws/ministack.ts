/** Emulated AWS: starts ministack, the program that runs the functions. */
import { freePort, onFreePorts, type Running, serves, startProcess } from '../process.js';
import { toolPath } from '../tools.js';

/** Header that names the alias a call came by, when the gateway has called the version it drew. */
export const INVOKED_AS = 'x-sluice-invoked-as';

/**
 * ministack as it is, but for ten things the gateway cannot add from outside. `context.invokedFunctionArn` is by the alias
 * that the caller used, not by the version that was drawn. CloudWatch has the trimmed count `TC(low:high)`: the number of
 * values above `low` up to `high` ("CloudWatch statistics definitions"). The CodeSha256 of a container image is the
 * image's digest. Links in a zip are unpacked as links, with the permissions of the rest. GetFunction of a version links to
 * the code of that version, not to that of $LATEST. A function URL of an alias has the alias in its
 * FunctionArn. GetPolicy and RemovePermission without a qualifier are about the bare function alone. AddPermission and
 * RemovePermission heed the RevisionId of GetPolicy ("PreconditionFailedException"), which each change of the policy renews.
 * And how long an update is in progress is an option. Written
 * against ministack 1.5.33; a version that has not got these functions goes without.
 */
const PROGRAM = `
import contextvars, json, os, re, stat, sys, uuid, zipfile
from ministack.app import main
from ministack.services import cloudwatch as watch
from ministack.services import lambda_svc as svc

invoked_as = contextvars.ContextVar("sluice_invoked_as", default=None)

def by_alias(run):
    def with_arn(func, event):
        alias = invoked_as.get()
        if alias and ":function:" in func.get("config", {}).get("FunctionArn", ""):
            config = dict(func["config"])
            config["FunctionArn"] = ":".join(config["FunctionArn"].split(":")[:7] + [alias])
            func = {**func, "config": config}
        return run(func, event)
    return with_arn

if all(hasattr(svc, name) for name in ("_invoke", "_execute_function_with_config_scope", "invoke_async_with_retry")):
    plain_invoke = svc._invoke
    async def invoke(name, event, headers, *rest, **named):
        invoked_as.set(headers.get("${INVOKED_AS}"))
        return await plain_invoke(name, event, headers, *rest, **named)
    svc._invoke = invoke
    svc._execute_function_with_config_scope = by_alias(svc._execute_function_with_config_scope)
    svc.invoke_async_with_retry = by_alias(svc.invoke_async_with_retry)

if all(hasattr(watch, name) for name in ("_stat_value", "_percentile_samples")):
    plain_value = watch._stat_value
    trimmed_count = re.compile(r"^TC\\(([0-9.]*):([0-9.]*)\\)$")
    def stat_value(stats, name, points=None):
        bounds = trimmed_count.match(name or "")
        if bounds is None:
            return plain_value(stats, name, points)
        low, high = (float(bound) if bound else None for bound in bounds.groups())
        inside = [
            count
            for value, count in watch._percentile_samples(points or []) or []
            if (low is None or value > low) and (high is None or value <= high)
        ]
        return sum(inside) if inside else None
    watch._stat_value = stat_value

def with_image_digest(write):
    def written(*args):
        answer = write(*args)
        asked = args[-1].get("Code", args[-1])
        digest = (asked.get("ImageUri") or "").partition("@sha256:")[2]
        if not digest or answer[0] >= 300:
            return answer
        config = svc._functions[json.loads(answer[2])["FunctionName"]]["config"]
        config["CodeSha256"] = digest
        return svc.json_response(config, answer[0])
    return written

if all(hasattr(svc, name) for name in ("_create_function", "_update_code", "_functions", "json_response")):
    svc._create_function = with_image_digest(svc._create_function)
    svc._update_code = with_image_digest(svc._update_code)

plain_extract = zipfile.ZipFile._extract_member
def extract_member(archive, member, targetpath, pwd):
    info = member if isinstance(member, zipfile.ZipInfo) else archive.getinfo(member)
    mode = info.external_attr >> 16
    folder = os.path.realpath(os.path.join(targetpath, os.path.dirname(info.filename)))
    if os.path.commonpath([folder, os.path.realpath(targetpath)]) != os.path.realpath(targetpath):
        raise zipfile.BadZipFile(f"{info.filename} leads out of the folder")
    if not stat.S_ISLNK(mode):
        target = plain_extract(archive, info, targetpath, pwd)
        if stat.S_IMODE(mode) and not info.is_dir():
            os.chmod(target, stat.S_IMODE(mode))
        return target
    target = os.path.normpath(os.path.join(targetpath, info.filename))
    os.makedirs(os.path.dirname(target), exist_ok=True)
    os.symlink(archive.read(info, pwd).decode(), target)
    return target
zipfile.ZipFile._extract_member = extract_member

if hasattr(svc, "_extract_zip_preserving_mode"):
    # It would look for what a link points to, which may be on the machines of Lambda alone.
    svc._extract_zip_preserving_mode = lambda archive, folder: archive.extractall(folder)

if all(hasattr(svc, name) for name in ("_get_function", "serve_function_code", "_get_func_record_for_qualifier", "_functions")):
    plain_get, plain_code = svc._get_function, svc.serve_function_code
    def get_function(name, qualifier=None):
        answer = plain_get(name, qualifier)
        said = json.loads(answer[2]) if answer[0] == 200 else {}
        version = said.get("Configuration", {}).get("Version", "$LATEST")
        if version != "$LATEST" and "Location" in said.get("Code", {}):
            said["Code"]["Location"] = said["Code"]["Location"].replace("/" + name + "?", "/" + name + ":" + version + "?")
            return svc.json_response(said)
        return answer
    def serve_code(name, account_id=None, region=None):
        name, _, version = name.partition(":")
        if version == "":
            return plain_code(name, account_id, region)
        func = svc._functions.get_scoped(account_id, region, name) if account_id and region else svc._functions.get(name)
        record = (func or {}).get("versions", {}).get(version)
        if record is None:
            return 404, {"Content-Type": "text/plain"}, b"Function version not found"
        return 200, {"Content-Type": "application/zip"}, record.get("code_zip") or b""
    svc._get_function, svc.serve_function_code = get_function, serve_code

if all(hasattr(svc, name) for name in ("_create_function_url_config", "_function_urls", "_url_config_key", "_func_arn")):
    plain_url = svc._create_function_url_config
    def create_url(name, data, qualifier):
        answer = plain_url(name, data, qualifier)
        if answer[0] >= 300 or not qualifier or qualifier == "$LATEST":
            return answer
        config = svc._function_urls[svc._url_config_key(name, qualifier)]
        config["FunctionArn"] = svc._func_arn(name) + ":" + qualifier
        return svc.json_response(config, 201)
    svc._create_function_url_config = create_url

if all(hasattr(svc, name) for name in ("_get_policy", "_add_permission", "_remove_permission", "_qp_first", "_qualifier_from_path_or_query", "_policy_resource_arn", "_functions")):
    plain_policy, plain_add, plain_remove = svc._get_policy, svc._add_permission, svc._remove_permission
    def named(func_name, query, path):
        qualifier = svc._qualifier_from_path_or_query(path, query)
        return qualifier, svc._policy_resource_arn(func_name, qualifier)
    def no_policy():
        return svc.error_response_json("ResourceNotFoundException", "No policy is associated with the given resource.", 404)
    def get_policy(func_name, query_params=None, path_qualifier=None):
        qualifier, resource = named(func_name, query_params, path_qualifier)
        answer = plain_policy(func_name, query_params, path_qualifier)
        if answer[0] != 200:
            return answer
        said = json.loads(answer[2])
        policy = json.loads(said["Policy"])
        policy["Statement"] = [each for each in policy["Statement"] if each.get("Resource") == resource]
        if not policy["Statement"]:
            return no_policy()
        return svc.json_response({**said, "Policy": json.dumps(policy), "RevisionId": revision_of(func_name, resource)})
    def revision_of(func_name, resource):
        func = svc._functions[func_name]
        own = [each for each in func["policy"]["Statement"] if each.get("Resource") == resource]
        return str(uuid.uuid5(uuid.NAMESPACE_OID, json.dumps([func["config"]["RevisionId"], own])))
    def stale(func_name, query, path, asked):
        if not asked or func_name not in svc._functions:
            return None
        if asked == revision_of(func_name, named(func_name, query, path)[1]):
            return None
        return svc.error_response_json("PreconditionFailedException", "The RevisionId provided does not match the latest RevisionId. Call GetPolicy to retrieve the latest RevisionId for your resource.", 412)
    def add_permission(func_name, data, query_params=None, path_qualifier=None):
        return stale(func_name, query_params, path_qualifier, data.get("RevisionId")) or plain_add(func_name, data, query_params, path_qualifier)
    def remove_permission(func_name, sid, query_params, path_qualifier=None):
        refused = stale(func_name, query_params, path_qualifier, svc._qp_first(query_params or {}, "RevisionId"))
        if refused is not None:
            return refused
        qualifier, resource = named(func_name, query_params, path_qualifier)
        own = svc._functions.get(func_name, {}).get("policy", {}).get("Statement", [])
        if any(each.get("Sid") == sid for each in own) and not any(each.get("Sid") == sid and each.get("Resource") == resource for each in own):
            return no_policy()
        return plain_remove(func_name, sid, query_params, path_qualifier)
    svc._get_policy, svc._add_permission, svc._remove_permission = get_policy, add_permission, remove_permission

if hasattr(svc, "_LAMBDA_STATE_TRANSITION_DELAY"):
    svc._LAMBDA_STATE_TRANSITION_DELAY = int(os.environ["SLUICE_UPDATING_MS"]) / 1000

sys.argv = ["ministack"]
sys.exit(main())
`;

/**
 * Starts ministack, which speaks AWS's protocols and runs Node handlers, on loopback only.
 * @throws SluiceError SLUICE_SETUP when it is missing or does not come up.
 */
export function startMinistack(options: MinistackOptions): Promise<{ url: string; process: Running }> {
  return onFreePorts(() => startOnce(options));
}

interface MinistackOptions {
  port?: number;
  updatingMs: number;
  logFile?: string;
}

async function startOnce(options: MinistackOptions): Promise<{ url: string; process: Running }> {
  const port = options.port ?? (await freePort());
  const url = `http://127.0.0.1:${port}`;
  toolPath('ministack');
  const started = await startProcess({
    name: 'ministack',
    command: toolPath('python'),
    args: ['-c', PROGRAM],
    env: {
      GATEWAY_PORT: String(port),
      BIND_HOST: '127.0.0.1',
      MINISTACK_HOST: '127.0.0.1',
      // Its MQTT listener would bind all addresses.
      IOT_MTLS_ENABLED: '0',
      LOG_LEVEL: 'WARNING',
      SLUICE_UPDATING_MS: String(options.updatingMs),
    },
    ports: [port],
    ready: () => serves(`${url}/_ministack/health`),
    ...(options.logFile === undefined ? {} : { logFile: options.logFile }),
  });
  return { url, process: started };
}
