//! Names of things: one type each, so that a tenant is never passed where a project belongs.

use serde::{Deserialize, Serialize};
use uuid::Uuid;

macro_rules! id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, sqlx::Type)]
        #[derive(utoipa::ToSchema)]
        #[serde(transparent)]
        #[sqlx(transparent)]
        #[schema(value_type = Uuid)]
        pub struct $name(pub Uuid);

        impl $name {
            /// A new id; ids made later in this process sort later (UUIDv7, RFC 9562).
            #[expect(clippy::new_without_default, reason = "a default id would be a different one each time")]
            pub fn new() -> Self {
                Self(Uuid::now_v7())
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                self.0.fmt(f)
            }
        }

        impl std::str::FromStr for $name {
            type Err = uuid::Error;

            fn from_str(text: &str) -> Result<Self, Self::Err> {
                text.parse().map(Self)
            }
        }
    };
}

id!(
    /// An organisation; nothing is shared between two of them.
    TenantId
);
id!(
    /// A project of a tenant; incidents, integrations and events belong to one.
    ProjectId
);
id!(
    /// A person with a password.
    UserId
);
id!(
    /// A browser session.
    SessionId
);
id!(
    /// A program's key.
    ApiKeyId
);
id!(
    /// An offer of membership.
    InvitationId
);
id!(
    /// A system that sends alerts.
    IntegrationId
);
id!(
    /// The receipt of one webhook request.
    DeliveryId
);
id!(
    /// An incident.
    IncidentId
);
id!(
    /// A question about an incident.
    QuestionId
);
id!(
    /// The current state of one alert key.
    AlertId
);
id!(
    /// One stretch of an alert's firing.
    EpisodeId
);
id!(
    /// A step of an incident's workflow.
    StepId
);
id!(
    /// A comment on an incident.
    CommentId
);
id!(
    /// One version of an incident's analysis.
    AnalysisId
);
id!(
    /// A proposed cause.
    HypothesisId
);
id!(
    /// A fact that hypotheses cite.
    EvidenceId
);
id!(
    /// A deployment, configuration change or flag.
    ChangeId
);
id!(
    /// Somebody who is told what happens in a project: a Slack channel, a PagerDuty service, a webhook.
    ChannelId
);
id!(
    /// One message to one channel.
    NotificationId
);
