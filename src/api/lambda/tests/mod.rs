//! Every operation through its decoding, its questions to policy and its run.

mod creating;
mod reading;
mod tagging;
mod updating;

use std::collections::BTreeSet;

use super::{members, members::Support, operations};
use crate::functions::testing::Fixture;

#[tokio::test]
async fn every_operation_has_a_table_of_members_and_names_none_twice() {
    let fixture = Fixture::new().await;
    let operations: BTreeSet<_> =
        operations(&fixture.functions).iter().map(|operation| operation.spec().name).collect();
    let tables: BTreeSet<_> = members().iter().map(|table| table.operation).collect();
    assert_eq!(operations, tables);
    for table in members() {
        let names: BTreeSet<_> = table.members.iter().map(|(name, _)| name).collect();
        assert_eq!(names.len(), table.members.len(), "{}", table.operation);
        for (name, support) in table.members {
            if let Support::Refused(instead) = support {
                assert!(!instead.is_empty(), "{}: {name}", table.operation);
            }
        }
    }
}
