//! What can happen in a world while it runs: `[[at]]` with `do.*`.
//!
//! Each action, or each pair of opposites such as `crash` and `restart`, has one file here. It
//! holds the keys of the scenario file, the check against the state of the timeline at that time,
//! the sentence for `explain`, what it does to the running world, and what the rest of the harness
//! must know of it (`Consequences`).
//!
//! To add an action, touch two files: write one that defines the type and implements
//! `TimelineAction`, and add its line to `actions!` below (and its `mod` above it). What the
//! trait or `Consequences` asks for and the new file does not answer does not compile.

/// Defines an action whose keys are those of another type, which several actions share. It has the
/// schema of that type, under its name, so that the keys are described once; a derived
/// `transparent` does so only without a doc comment.
macro_rules! action_with_keys {
    ($(#[$doc:meta])* pub struct $action:ident($keys:ty);) => {
        $(#[$doc])*
        #[derive(Clone, Debug, serde::Deserialize)]
        #[serde(transparent)]
        pub struct $action(pub $keys);
        action_with_keys!(schema $action, $keys);
    };
    ($(#[$doc:meta])* pub struct $action:ident<$parameter:ident>($keys:ty);) => {
        $(#[$doc])*
        #[derive(Clone, Debug, serde::Deserialize)]
        #[serde(transparent, bound = "")]
        pub struct $action<$parameter>(
            pub $keys,
            #[serde(skip)] std::marker::PhantomData<$parameter>,
        );
        action_with_keys!(schema $action<$parameter>, $keys);
    };
    (schema $action:ident $(<$parameter:ident>)?, $keys:ty) => {
        impl $(<$parameter>)? schemars::JsonSchema for $action $(<$parameter>)? {
            fn inline_schema() -> bool {
                <$keys as schemars::JsonSchema>::inline_schema()
            }

            fn schema_name() -> std::borrow::Cow<'static, str> {
                <$keys as schemars::JsonSchema>::schema_name()
            }

            fn schema_id() -> std::borrow::Cow<'static, str> {
                <$keys as schemars::JsonSchema>::schema_id()
            }

            fn json_schema(generator: &mut schemars::SchemaGenerator) -> schemars::Schema {
                <$keys as schemars::JsonSchema>::json_schema(generator)
            }
        }
    };
}

mod consequences;
mod context;
mod crash;
mod dispose;
mod fault;
mod fault_rule;
mod identity;
mod install;
mod login;
mod network;
mod program;
mod redis_access;
mod redis_fail_over;
mod redis_kill;
mod rotate_secret;
mod set_variable;
mod step_clock;
mod swap_certificate;
#[cfg(test)]
pub(crate) mod testing;
mod timeline;
mod write_file;

use schemars::JsonSchema;
use serde::Deserialize;

pub use crash::{Crash, Restart, ServiceRef};
pub use dispose::Dispose;
pub use fault::Lift;
pub use fault_rule::Fault;
pub use identity::{AssignSystemIdentity, IdentityRef, RemoveIdentity};
pub use install::{Install, Uninstall};
pub use login::{LogIn, LogOut, Login};
pub use network::NetworkChange;
pub use program::{Az, Azd, Pwsh};
pub use redis_access::{RedisAllow, RedisDeny};
pub use redis_fail_over::RedisFailOver;
pub use redis_kill::RedisKill;
pub use rotate_secret::RotateSecret;
pub use set_variable::SetVariable;
pub use step_clock::StepClock;
pub use swap_certificate::SwapCertificate;
pub use write_file::{RemoveFile, WriteFile};

pub(crate) use consequences::{Consequences, Names, OnHost, Outside, Repair};
pub(crate) use context::{ActionContext, SharedCredential};
pub(crate) use network::PROXY_ALWAYS_ANSWERS;
pub(crate) use timeline::{TimelineState, check, describe, faults, last_repair};

use crate::{
    check::Check,
    scenario::{Nothing, Span, document::Place},
};

/// Something happens.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct At {
    /// When, counted from the world's start.
    pub time: Span,
    /// What.
    #[serde(rename = "do")]
    pub action: Action,
}

/// What every action of the timeline must answer.
pub(crate) trait TimelineAction {
    /// Reports what makes no sense in it, given `state`, the state of the timeline when it happens,
    /// and then changes `state` as the action does. `place` is the table of its keys.
    fn check<'a>(
        &'a self,
        time: Span,
        place: &Place,
        state: &mut TimelineState<'a>,
        check: &mut Check<'_>,
    );

    /// What will happen, in one sentence for `credsim explain`.
    fn describe(&self) -> String;

    /// Changes the running world, and records the change in the trace.
    fn apply(&self, context: &ActionContext<'_>);

    /// What the rest of the harness must know of it.
    fn consequences(&self) -> Consequences<'_>;

    /// The durations that shrink when the timeline runs faster, apart from its own time.
    fn durations(&mut self) -> Vec<&mut Span>;
}

/// The registry: for each action its doc comment, its key under `do`, its variant and its type.
macro_rules! actions {
    ($callback:ident) => {
        $callback! {
            /// An account signs in with `az login`.
            "az-login" AzLogin(LogIn<Az>),
            /// The account signs out with `az logout`.
            "az-logout" AzLogout(LogOut<Az>),
            /// An account signs in with `azd auth login`.
            "azd-login" AzdLogin(LogIn<Azd>),
            /// The account signs out with `azd auth logout`.
            "azd-logout" AzdLogout(LogOut<Azd>),
            /// An account signs in with `Connect-AzAccount` in PowerShell.
            "pwsh-login" PwshLogin(LogIn<Pwsh>),
            /// The account signs out with `Disconnect-AzAccount` in PowerShell.
            "pwsh-logout" PwshLogout(LogOut<Pwsh>),
            /// `az` is installed.
            "az-install" AzInstall(Install<Az>),
            /// `az` is removed.
            "az-uninstall" AzUninstall(Uninstall<Az>),
            /// PowerShell is installed; `world.pwsh` says with which module.
            "pwsh-install" PwshInstall(Install<Pwsh>),
            /// PowerShell is removed.
            "pwsh-uninstall" PwshUninstall(Uninstall<Pwsh>),
            /// IMDS no longer knows an identity.
            "remove-identity" RemoveIdentity(RemoveIdentity),
            /// IMDS knows this system-assigned identity from now on.
            "assign-system-identity" AssignSystemIdentity(AssignSystemIdentity),
            /// A fault begins to apply.
            "fault" Fault(Box<Fault>),
            /// A fault no longer applies.
            "lift" Lift(Lift),
            /// Packets reach a service, or no longer do.
            "network" Network(NetworkChange),
            /// The service's host goes down.
            "crash" Crash(Crash),
            /// The service's host comes up again.
            "restart" Restart(Restart),
            /// The wall clock of the subject's host jumps.
            "step-clock" StepClock(StepClock),
            /// An environment variable of the subject's host changes; credentials built later see
            /// it.
            "set-variable" SetVariable(SetVariable),
            /// A file of the subject's host is written.
            "write-file" WriteFile(WriteFile),
            /// A file of the subject's host is removed.
            "remove-file" RemoveFile(RemoveFile),
            /// Service Fabric's token service presents another certificate than the one whose
            /// thumbprint the host was given.
            "swap-certificate" SwapCertificate(SwapCertificate),
            /// The shared credential is disposed.
            "dispose" Dispose(Dispose),
            /// An application's secret is replaced in Entra.
            "rotate-secret" RotateSecret(RotateSecret),
            /// The Redis server closes connections.
            "redis-kill" RedisKill(RedisKill),
            /// A node of the Redis cluster goes down, and its replica takes over.
            "redis-fail-over" RedisFailOver(RedisFailOver),
            /// An object id may sign in at Redis from now on.
            "redis-allow" RedisAllow(RedisAllow),
            /// An object id may no longer sign in at Redis; its connections are closed.
            "redis-deny" RedisDeny(RedisDeny),
        }
    };
}

macro_rules! define {
    ($( $(#[$doc:meta])* $name:literal $variant:ident($keys:ty), )*) => {
        /// What can happen.
        #[derive(Clone, Debug, Deserialize, JsonSchema)]
        #[serde(deny_unknown_fields, rename_all = "kebab-case")]
        pub enum Action {
            $( $(#[$doc])* #[serde(rename = $name)] $variant($keys), )*
        }

        impl Action {
            /// Its key under `do`.
            pub fn name(&self) -> &'static str {
                match self { $( Self::$variant(_) => $name, )* }
            }

            fn get(&self) -> &dyn TimelineAction {
                match self { $( Self::$variant(action) => action, )* }
            }

            fn get_mut(&mut self) -> &mut dyn TimelineAction {
                match self { $( Self::$variant(action) => action, )* }
            }
        }
    };
}
actions!(define);

impl Action {
    /// Applies it to the running world and records it.
    pub(crate) fn apply(&self, context: &ActionContext<'_>) {
        // Faults that end by themselves at this time end first.
        context.backend.expire(context.at);
        self.get().apply(context);
    }

    /// What the rest of the harness must know of it.
    pub(crate) fn consequences(&self) -> Consequences<'_> {
        self.get().consequences()
    }

    /// The durations that shrink when the timeline runs faster.
    pub(crate) fn durations(&mut self) -> Vec<&mut Span> {
        self.get_mut().durations()
    }
}
