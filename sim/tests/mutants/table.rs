//! The wrong subjects: what each breaks, the scenario that it fails, and with which findings.

use super::{Case, subjects};

/// `BROKEN: SUBJECT in SCENARIO by FINDINGS, but not in SCENARIO;`
macro_rules! cases {
    ($($breaks:literal: $subject:ident in $scenario:literal
        by [$($finding:literal),+], but not in $passes:literal;)+) => {
        &[$(Case {
            breaks: $breaks,
            name: stringify!($subject),
            subject: subjects::$subject,
            scenario: $scenario,
            convicted_by: &[$($finding),+],
            passes: $passes,
        }),+]
    };
}

/// At least one subject for each invariant. It violates no other invariant.
pub const INVARIANTS: &[Case] = cases! {
    "no-expired-token": returns_an_expired_token
        in "cache/nobody-asks-nobody-refreshes"
        by ["expect[2] requests", "expect[3] token-from", "no-expired-token"],
        but not in "cache/clones-share";

    "issued-here": makes_up_a_token
        in "entra/three-variables"
        by ["issued-here"],
        but not in "entra/wrong-secret";

    "valid-token-kept": fails_when_a_refresh_fails
        in "chain/deterministic-in-production"
        by ["expect[1] token-from", "expect[7] log", "valid-token-kept"],
        but not in "entra/wrong-secret";

    "reported-identity": swallows_the_fallback_report
        in "chain/silent-fallback-identity-removed"
        by ["expect[4] identity-change", "reported-identity"],
        but not in "chain/silent-fallback-login-alone";

    "single-flight": drops_single_flight
        in "cache/clones-share"
        by ["expect[1] requests", "expect[2] tokens", "single-flight"],
        but not in "cache/refresh-at-half-of-a-short-life";

    "retries-in-bounds": ignores_retry_after
        in "entra/503-with-retry-after"
        by ["expect[1] attempts", "retries-in-bounds"],
        but not in "entra/500-three-retries";

    "retries-in-bounds": retries_once_too_often
        in "managed-identity/retry-waits-are-capped"
        by ["expect[1] attempts", "expect[2] error", "retries-in-bounds"],
        but not in "managed-identity/503-for-a-few-seconds";

    "nothing-stops-for-good": takes_an_error_for_the_last_word
        in "cache/an-outage-that-outlasts-the-token"
        by ["expect[3] recovery", "expect[4] token-from", "nothing-stops-for-good"],
        but not in "cache/imds-is-down-for-two-minutes";

    "disposed-is-silent": goes_on_after_dispose
        in "cache/disposed-while-a-refresh-is-under-way"
        by ["expect[3] error", "expect[5] requests", "disposed-is-silent"],
        but not in "cache/refresh-at-half-of-a-short-life";

    "whole-transactions": signs_in_within_transactions
        in "redis/transaction-by-hand-around-a-renewal"
        by ["expect[1] redis-replies", "expect[2] redis-replies", "expect[3] redis-replies", "expect[4] requests", "expect[5] requests", "expect[6] requests", "expect[7] requests", "expect[8] requests", "whole-transactions"],
        but not in "redis/transaction-of-the-client-around-a-renewal";

    "no-expired-connection": keeps_its_first_token
        in "redis/renewed-before-the-end"
        by ["expect[1] redis-replies", "expect[2] requests", "expect[3] requests", "no-expired-connection"],
        but not in "redis/a-job-shorter-than-its-token";

    "no-secret-told": logs_its_token
        in "entra/three-variables"
        by ["no-secret-told"],
        but not in "entra/wrong-secret";

    "no-secret-told": logs_its_token_under_a_name_of_its_own
        in "entra/three-variables"
        by ["no-secret-told"],
        but not in "entra/wrong-secret";

    "no-secret-told": opens_a_span_with_its_token
        in "entra/three-variables"
        by ["no-secret-told"],
        but not in "entra/wrong-secret";
};

/// At least one subject for each promise.
pub const PROMISES: &[Case] = cases! {
    "PR-01": calls_every_failure_unavailable
        in "entra/wrong-secret"
        by ["expect[1] error"],
        but not in "entra/503-with-retry-after";

    "PR-02": goes_on_after_any_failure
        in "chain/silent-fallback-imds-fails"
        by ["expect[2] error", "expect[3] requests", "expect[4] waited", "expect[6] identity-change", "expect[7] resource-saw"],
        but not in "chain/silent-fallback-identity-removed";

    "PR-07": walks_with_every_call
        in "chain/laptop-without-a-route-in-a-custom-chain"
        by ["expect[3] waited", "expect[4] passed-over"],
        but not in "chain/silent-fallback-flips-back";

    "PR-08": goes_on_after_any_failure
        in "chain/arc-is-no-laptop"
        by ["expect[1] error", "expect[2] requests"],
        but not in "chain/app-service-is-left-on-purpose";

    "PR-09": takes_the_first_refusal_for_final
        in "federation/refused-once-then-accepted"
        by ["expect[1] token-from", "expect[2] attempts"],
        but not in "entra/three-variables";

    "PR-03": sticks_to_its_second_choice
        in "chain/better-source-returns"
        by ["expect[2] token-from", "expect[3] identity-change"],
        but not in "chain/silent-fallback-flips-back";

    "PR-03": walks_with_every_call
        in "chain/better-source-returns"
        by ["expect[5] token-from"],
        but not in "chain/silent-fallback-flips-back";

    "PR-04": swallows_the_fallback_report
        in "chain/silent-fallback-flips-back"
        by ["expect[4] identity-change", "expect[5] identity-change", "reported-identity"],
        but not in "chain/silent-fallback-login-alone";

    "PR-05": names_only_the_last_member
        in "chain/nobody-is-there-in-a-custom-chain"
        by ["expect[1] error"],
        but not in "chain/silent-fallback-identity-removed";

    "PR-06": has_one_instance_for_all
        in "cache/a-new-instance-starts-empty"
        by ["expect[1] requests", "expect[2] tokens"],
        but not in "cache/clones-share";

    "PR-10": retries_once_too_often
        in "managed-identity/documented-retry-options"
        by ["expect[1] attempts", "expect[2] attempts", "expect[3] attempts", "expect[4] error", "retries-in-bounds"],
        but not in "managed-identity/503-for-a-few-seconds";

    "PR-11": waits_after_a_410_like_after_anything
        in "managed-identity/410-back-within-70-seconds"
        by ["expect[1] attempts", "expect[2] token-from", "expect[3] waited"],
        but not in "managed-identity/503-for-a-few-seconds";

    "PR-12": ignores_retry_after
        in "entra/retry-after-3600"
        by ["expect[1] error", "expect[2] waited", "expect[3] requests", "retries-in-bounds"],
        but not in "entra/retry-after-garbage";

    "PR-12": caches_nothing
        in "entra/retry-after-3600"
        by ["expect[1] error", "expect[3] requests", "retries-in-bounds"],
        but not in "entra/retry-after-date-ahead";

    "PR-13": retries_in_a_default_chain
        in "chain/default-fails-fast-on-503"
        by ["expect[1] attempts", "expect[2] requests", "expect[3] waited", "expect[4] error", "retries-in-bounds"],
        but not in "chain/silent-fallback-identity-removed";

    "PR-13": asks_once
        in "managed-identity/app-service-fails-one-request-in-ten"
        by ["expect[1] share", "expect[2] requests"],
        but not in "managed-identity/app-service";

    "PR-13": takes_an_error_for_the_last_word
        in "managed-identity/slow-probe-1400ms"
        by ["expect[3] token-from", "expect[5] requests"],
        but not in "managed-identity/slow-probe-600ms";

    "PR-14": retries_entra_once_too_often
        in "entra/500-three-retries"
        by ["expect[1] attempts", "expect[2] error", "expect[3] waited", "retries-in-bounds"],
        but not in "entra/408-429-502-then-a-token";

    "PR-15": waits_a_minute_for_a_command
        in "developer/az-hangs"
        by ["expect[1] error", "expect[2] waited", "expect[4] requests"],
        but not in "developer/az-barely-in-time";

    "PR-15": sets_no_limit_to_a_connect
        in "entra/black-holed-entra"
        by ["expect[1] attempts", "expect[2] waited", "expect[3] error"],
        but not in "entra/slow-but-in-time";

    "PR-20": returns_an_expired_token
        in "cache/clock-steps-past-the-expiry"
        by ["expect[1] requests", "expect[2] requests", "expect[3] waited", "no-expired-token"],
        but not in "cache/clones-share";

    "PR-20": trusts_the_wall_clock_alone
        in "cache/clock-steps-back-an-hour"
        by ["expect[2] requests", "expect[3] requests", "expect[4] resource-saw"],
        but not in "cache/refresh-at-half-of-a-short-life";

    "PR-21": renews_at_the_very_end
        in "cache/refresh-five-minutes-before-the-end"
        by ["expect[2] requests", "expect[4] tokens"],
        but not in "cache/clones-share";

    "PR-21": marches_in_step
        in "cache/a-fleet-does-not-march-in-step"
        by ["expect[4] requests"],
        but not in "cache/refresh-five-minutes-before-the-end";

    "PR-22": waits_for_every_refresh
        in "cache/imds-is-down-for-two-minutes"
        by ["expect[2] waited", "expect[3] tokens", "expect[4] requests", "expect[6] tokens"],
        but not in "cache/clones-share";

    "PR-23": fails_when_a_refresh_fails
        in "entra/rotated-secret"
        by ["expect[1] token-from", "expect[2] waited", "expect[3] error", "valid-token-kept"],
        but not in "entra/wrong-secret";

    "PR-24": drops_single_flight
        in "cache/a-thousand-callers-on-a-cold-cache"
        by ["expect[1] requests", "expect[2] tokens", "single-flight"],
        but not in "cache/refresh-at-half-of-a-short-life";

    "PR-25": asks_again_for_the_same_token
        in "cache/imds-hands-out-the-same-token"
        by ["expect[3] requests", "expect[4] rate"],
        but not in "entra/three-variables";

    "PR-26": forgets_tenant_and_claims
        in "entra/another-tenant-is-another-token"
        by ["expect[1] error", "expect[3] requests"],
        but not in "cache/scopes-are-a-set";

    "PR-26": forgets_tenant_and_claims
        in "entra/claims-bypass-the-cache-once"
        by ["expect[2] requests"],
        but not in "entra/three-variables";

    "PR-27": caches_nothing
        in "entra/three-variables"
        by ["expect[2] requests"],
        but not in "entra/retry-after-date-ahead";

    "PR-27": leaves_the_cache_out
        in "cache/az-behind-a-cache"
        by ["expect[1] requests", "expect[2] requests", "expect[3] waited"],
        but not in "cache/az-is-asked-each-time";

    "PR-28": reads_local_time_as_utc
        in "developer/old-az"
        by ["expect[1] token-from"],
        but not in "developer/azd-logged-in";

    "PR-29": goes_on_after_dispose
        in "cache/disposed-between-two-attempts"
        by ["expect[1] error", "expect[2] waited", "expect[4] requests", "disposed-is-silent"],
        but not in "cache/refresh-at-half-of-a-short-life";

    "PR-30": renews_redis_tokens_at_the_very_end
        in "redis/renewed-before-the-end"
        by ["expect[2] requests", "expect[3] requests", "expect[4] redis-closed"],
        but not in "redis/a-job-shorter-than-its-token";

    "PR-31": takes_an_error_for_the_last_word
        in "redis/entra-is-down-past-the-end"
        by ["expect[7] redis-reported", "expect[8] redis-reported", "expect[9] redis-replies", "nothing-stops-for-good"],
        but not in "redis/tokens-that-live-1m";

    "PR-32": keeps_its_first_token
        in "redis/tokens-that-live-1m"
        by ["expect[1] redis-replies", "expect[2] requests", "expect[4] requests", "expect[5] redis-closed", "no-expired-connection"],
        but not in "redis/a-job-shorter-than-its-token";

    "PR-33": signs_in_as_default
        in "redis/a-token-without-oid"
        by ["expect[1] redis-failure", "expect[2] requests", "expect[4] redis-replies", "expect[5] requests"],
        but not in "redis/a-job-shorter-than-its-token";

    "PR-34": signs_in_within_transactions
        in "redis/transaction-discarded-after-a-renewal"
        by ["expect[2] requests", "expect[3] requests", "expect[4] redis-replies", "expect[5] redis-closed", "whole-transactions"],
        but not in "redis/transaction-of-the-client-around-a-renewal";

    "PR-35": never_signs_in_again
        in "redis/auth-that-takes-600ms"
        by ["expect[2] requests", "expect[3] redis-replies", "expect[4] redis-closed"],
        but not in "redis/a-job-shorter-than-its-token";

    "PR-35": signs_in_everywhere_at_once
        in "redis/a-thousand-connections-without-a-spike"
        by ["expect[3] rate"],
        but not in "redis/a-job-shorter-than-its-token";

    "PR-36": keeps_gaps_to_itself
        in "redis/subscriber-resp2-evicted"
        by ["expect[1] redis-received"],
        but not in "redis/a-job-shorter-than-its-token";

    "PR-37": does_one_thing_at_a_time
        in "redis/one-connection-is-stuck"
        by ["expect[6] waited"],
        but not in "redis/a-job-shorter-than-its-token";
};
