// The kinds of credential of a scenario, and how the SDK's constructors make them.

const RETRY = ["retry.max-retries", "retry.retry-delay", "retry.max-retry-delay"];

/** What is known, kind by kind: for `hello`. */
export const credentials = {
  default: ["managed-identity-client-id", "required-variables", ...RETRY],
  chain: [],
  "managed-identity": ["client-id", "object-id", "resource-id", ...RETRY],
  "client-secret": ["tenant", "client-id", "secret", ...RETRY],
  "workload-identity": ["tenant", "client-id", "file", ...RETRY],
  "azure-pipelines": [
    "tenant",
    "client-id",
    "service-connection-id",
    "system-access-token",
    ...RETRY,
  ],
  environment: [],
  "azure-cli": ["tenant", "process-timeout"],
  "azure-developer-cli": ["tenant", "process-timeout"],
  "azure-powershell": ["tenant", "process-timeout"],
};

/** Why the rest is not: for `hello`. */
export const reasons = {
  "github-actions": "the SDK pinned here has no GitHubActionsCredential",
  "client-assertion": "a callback cannot be sent to a driver",
  cached: "each credential of the SDK caches in its own way, and none can be put around another",
  "continue-after": "the SDK alone decides after which errors a chain goes on",
  "fallback-policy": "the SDK hands out the token of whoever answers",
  "retry.retry-after-cap": "the SDK waits as long as Retry-After says",
  "min-remaining": "the SDK alone decides how long a token must still be valid",
  dispose: "the SDK's credentials can't be disposed",
};

/** Leaves out what is not set, so that the SDK's own default holds. */
function options(from) {
  return Object.fromEntries(Object.entries(from).filter(([, value]) => value !== undefined));
}

/** The retries. New for each credential: the SDK writes into its options. */
function retries(retry) {
  if (!retry) return undefined;
  return options({
    maxRetries: retry["max-retries"],
    retryDelayInMs: retry["retry-delay"],
    maxRetryDelayInMs: retry["max-retry-delay"],
  });
}

function command(given) {
  return options({ tenantId: given.tenant, processTimeoutInMs: given["process-timeout"] });
}

const constructors = {
  default: (sdk, given) =>
    new sdk.DefaultAzureCredential(
      options({
        managedIdentityClientId: given["managed-identity-client-id"],
        requiredEnvVars: given["required-variables"],
        retryOptions: retries(given.retry),
      }),
    ),
  chain: (sdk, given) =>
    new sdk.ChainedTokenCredential(
      ...given.of.map((member) => build(sdk, member.kind, member.options)),
    ),
  "managed-identity": (sdk, given) =>
    new sdk.ManagedIdentityCredential(
      options({
        clientId: given["client-id"],
        objectId: given["object-id"],
        resourceId: given["resource-id"],
        retryOptions: retries(given.retry),
      }),
    ),
  "client-secret": (sdk, given) =>
    new sdk.ClientSecretCredential(
      given.tenant,
      given["client-id"],
      given.secret,
      options({ retryOptions: retries(given.retry) }),
    ),
  "workload-identity": (sdk, given) =>
    new sdk.WorkloadIdentityCredential(
      options({
        tenantId: given.tenant,
        clientId: given["client-id"],
        tokenFilePath: given.file,
        retryOptions: retries(given.retry),
      }),
    ),
  "azure-pipelines": (sdk, given) =>
    new sdk.AzurePipelinesCredential(
      given.tenant,
      given["client-id"],
      given["service-connection-id"],
      given["system-access-token"],
      options({ retryOptions: retries(given.retry) }),
    ),
  environment: (sdk) => new sdk.EnvironmentCredential(),
  "azure-cli": (sdk, given) => new sdk.AzureCliCredential(command(given)),
  "azure-developer-cli": (sdk, given) => new sdk.AzureDeveloperCliCredential(command(given)),
  "azure-powershell": (sdk, given) => new sdk.AzurePowerShellCredential(command(given)),
};

/** A credential of this kind, by the public constructor of `sdk`. */
export function build(sdk, kind, given) {
  return constructors[kind](sdk, given);
}
