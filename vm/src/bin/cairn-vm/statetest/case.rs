//! One case: run it, compare what came of it with what the fixture says.

use std::path::Path;

use alloy_primitives::{B256, Log, keccak256};
use cairn_vm::{Machine, Outcome, Status, TransactError, trace::Tracer};

use super::{
    difference::differences,
    fixture::{self, Fixture, Indexes, Post},
    transaction,
};
use crate::world::World;

/// The one fork that the machine knows.
pub const FORK: &str = "Osaka";

/// One result of a fixture, and where it stands.
pub struct Case<'a> {
    pub file: &'a Path,
    pub name: &'a str,
    pub fixture: &'a Fixture,
    pub post: &'a Post,
}

/// What came of a case.
#[derive(Debug)]
pub struct Verdict {
    pub name: String,
    pub file: String,
    pub indexes: Indexes,
    /// How the transaction ended, or why it is invalid.
    pub status: String,
    /// `None` for an invalid transaction.
    pub outcome: Option<Outcome>,
    pub state_root: B256,
    /// What is not as the fixture says; empty if the case passed.
    pub failures: Vec<String>,
}

impl Verdict {
    pub fn passed(&self) -> bool {
        self.failures.is_empty()
    }
}

/// The cases of a fixture.
pub fn cases<'a>(
    file: &'a Path,
    name: &'a str,
    fixture: &'a Fixture,
) -> impl Iterator<Item = Case<'a>> {
    let posts = fixture.post.get(FORK).into_iter().flatten();
    posts.map(move |post| Case {
        file,
        name,
        fixture,
        post,
    })
}

impl Case<'_> {
    /// Whether it needs blobs, which the machine does not have.
    pub fn has_blobs(&self) -> bool {
        self.fixture.transaction.blob_versioned_hashes.is_some()
    }

    /// Runs the case and compares.
    pub fn judge<T: Tracer>(&self, machine: &mut Machine, tracer: &mut T) -> Verdict {
        let mut world = fixture::world(&self.fixture.pre);
        let executed = self.execute(machine, &world, tracer);
        if let Ok(outcome) = &executed {
            world.apply(&outcome.diff);
        }
        let state_root = world.root();
        let mut failures = Vec::new();
        failures.extend(self.compare_validity(&executed));
        failures.extend(self.compare_logs(&executed));
        failures.extend(self.compare_state(&world, state_root));
        Verdict {
            name: self.name.to_owned(),
            file: self.file.display().to_string(),
            indexes: self.post.indexes,
            status: executed.as_ref().map_or_else(
                |why| format!("invalid: {why}"),
                |outcome| status(outcome.status),
            ),
            outcome: executed.ok(),
            state_root,
            failures,
        }
    }

    /// Runs the transaction; the error says why it is invalid.
    fn execute<T: Tracer>(
        &self,
        machine: &mut Machine,
        world: &World,
        tracer: &mut T,
    ) -> Result<Outcome, String> {
        let tx =
            transaction::transaction(self.fixture, self.post).map_err(|error| error.to_string())?;
        let block = transaction::block(self.fixture, FORK);
        match machine.transact_traced(world, &block, &tx, tracer) {
            Ok(outcome) => Ok(outcome),
            Err(TransactError::Invalid(invalid)) => Err(invalid.to_string()),
            Err(TransactError::State(never)) => match never {},
        }
    }

    fn compare_validity(&self, executed: &Result<Outcome, String>) -> Option<String> {
        match (executed, &self.post.expect_exception) {
            (Err(why), None) => Some(format!(
                "the transaction is invalid ({why}), expected a valid one"
            )),
            (Ok(_), Some(exception)) => {
                Some(format!("the transaction is valid, expected {exception}"))
            }
            _ => None,
        }
    }

    fn compare_logs(&self, executed: &Result<Outcome, String>) -> Option<String> {
        let logs: &[Log] = executed.as_ref().map_or(&[], |outcome| &outcome.logs);
        let (got, expected) = (logs_hash(logs), self.post.logs);
        (got != expected).then(|| format!("the hash of the logs is {got}, expected {expected}"))
    }

    fn compare_state(&self, world: &World, root: B256) -> Vec<String> {
        let expected = self.post.hash;
        if root == expected {
            return Vec::new();
        }
        let mut failures = vec![format!("the state root is {root}, expected {expected}")];
        if let Some(accounts) = &self.post.state {
            failures.extend(differences(world, &fixture::world(accounts)));
        }
        failures
    }
}

/// keccak-256 of the RLP of all logs.
fn logs_hash(logs: &[Log]) -> B256 {
    let mut encoded = Vec::new();
    alloy_rlp::encode_list::<_, Log>(logs, &mut encoded);
    keccak256(encoded)
}

/// A status in words.
pub fn status(status: Status) -> String {
    match status {
        Status::Success => "success".to_owned(),
        Status::Revert => "revert".to_owned(),
        Status::Halt(halt) => format!("halt: {halt}"),
    }
}
