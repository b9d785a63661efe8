//! checkov on modules and stacks.

use anyhow::Result;

use super::FOLDER;
use crate::infra::policies::{self, Suppressed};

/// What is not asked of everything, and why.
const SUPPRESSED: &[Suppressed] = &[
    (
        "CKV_AWS_338",
        "how long logs are kept is a variable, and costs; audit and flow logs stay a year",
    ),
    ("CKV_AWS_356", "policies of KMS keys name \"*\", which is the key that they belong to"),
    ("CKV_AWS_111", "as CKV_AWS_356"),
    ("CKV_AWS_109", "as CKV_AWS_356"),
    ("CKV2_AWS_57", "values change with their version number or by hand; a function is a variable"),
    ("CKV_AWS_304", "after how many days is a variable of the rotation"),
    ("CKV2_AWS_5", "groups are attached by other modules, which checkov does not follow"),
    ("CKV2_AWS_1", "subnets are attached through a variable, which checkov does not follow"),
    (
        "CKV_AWS_18",
        "CloudTrail and the requests' own logs say who reads; logs of logs have no reader",
    ),
    ("CKV_AWS_144", "copies in another region are for the database; files can be had by versions"),
    ("CKV2_AWS_62", "nothing waits for events of these buckets"),
    ("CKV_AWS_378", "TLS ends at the load balancer; the network behind it is private"),
    ("CKV2_AWS_20", "80 redirects when there is a certificate, which prod insists on"),
    ("CKV_AWS_103", "the policy of the listener is TLS 1.2 and later; without TLS there is none"),
    ("CKV2_AWS_28", "limits and validation are the binary's own; a WAF can be put in front"),
    ("CKV_AWS_394", "the first zones by name are taken, and new ones get later names"),
    ("CKV_AWS_252", "alarms speak up; the trail itself is for reading later"),
    ("CKV2_AWS_10", "as CKV_AWS_252"),
    ("CKV_AWS_161", "the process signs in with a password that no state holds, over verified TLS"),
    ("CKV_AWS_157", "a replica has no standby; the database has one, which prod insists on"),
    (
        "CKV_AWS_133",
        "a replica beside its database has no backups; the database must have a week's",
    ),
    ("CKV_AWS_129", "a replica's queries are logged by performance insights; the database logs"),
    ("CKV_AWS_118", "as CKV_AWS_129"),
    ("CKV2_AWS_50", "one node is enough in dev; prod insists on two"),
];

/// checkov on all of it.
///
/// # Errors
/// When it finds something.
pub(in crate::infra) fn policies() -> Result<()> {
    policies::run("terraform", SUPPRESSED, &["--directory", FOLDER])
}
