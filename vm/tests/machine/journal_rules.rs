//! The journal by itself: warm sets, storage, destruction.

use crate::world::{ALICE, BOB, Entry, World};
use alloy_primitives::{B256, U256};
use cairn_vm::{Journal, journal::SlotAccess};

fn number(value: u64) -> U256 {
    U256::from(value)
}

#[test]
fn the_first_access_is_cold() {
    let world = World::new();
    let mut journal = Journal::new([BOB]);
    assert!(journal.access(&world, ALICE).unwrap().cold);
    assert!(!journal.access(&world, ALICE).unwrap().cold);
    assert!(!journal.access(&world, BOB).unwrap().cold, "always warm");
    journal.reset();
    assert!(
        journal.access(&world, ALICE).unwrap().cold,
        "a new transaction"
    );
    assert!(!journal.access(&world, BOB).unwrap().cold);
}

#[test]
fn loading_is_not_an_access() {
    let world = World::new();
    let mut journal = Journal::default();
    journal.load(&world, ALICE).unwrap();
    assert!(journal.access(&world, ALICE).unwrap().cold);
}

#[test]
fn a_reverted_access_is_cold_again_but_not_read_again() {
    let world = World::new();
    let mut journal = Journal::default();
    let checkpoint = journal.checkpoint();
    journal.access(&world, ALICE).unwrap();
    journal.revert(checkpoint);
    assert!(journal.access(&world, ALICE).unwrap().cold);
    assert_eq!(world.times_asked(ALICE), 1);
}

#[test]
fn warmed_entries_are_not_read() {
    let world = World::new();
    let mut journal = Journal::default();
    journal.warm_account(ALICE);
    journal.warm_slot(ALICE, B256::with_last_byte(3));
    assert_eq!(world.times_asked(ALICE), 0);
    let access = journal.access(&world, ALICE).unwrap();
    assert!(!access.cold);
    assert!(
        !journal
            .access_slot(&world, access.id, number(3))
            .unwrap()
            .cold
    );
    assert!(
        journal
            .access_slot(&world, access.id, number(4))
            .unwrap()
            .cold
    );
}

#[test]
fn a_slot_has_an_original_and_a_present_value() {
    let storage = [(number(1), number(10))].into();
    let world = World::new().with(
        BOB,
        Entry {
            nonce: 1,
            storage,
            ..Entry::default()
        },
    );
    let mut journal = Journal::default();
    let bob = journal.load(&world, BOB).unwrap();
    let first = journal.access_slot(&world, bob, number(1)).unwrap();
    assert_eq!(
        first,
        SlotAccess {
            original: number(10),
            current: number(10),
            cold: true
        }
    );
    journal.set_slot(bob, number(1), number(11));
    let second = journal.access_slot(&world, bob, number(1)).unwrap();
    assert_eq!(
        second,
        SlotAccess {
            original: number(10),
            current: number(11),
            cold: false
        }
    );
}

#[test]
fn the_storage_diff_lists_real_changes_in_order() {
    let storage = [(number(1), number(10)), (number(2), number(20))].into();
    let world = World::new().with(
        BOB,
        Entry {
            nonce: 1,
            storage,
            ..Entry::default()
        },
    );
    let mut journal = Journal::default();
    let bob = journal.load(&world, BOB).unwrap();
    for (slot, value) in [(9, 1), (2, 0), (1, 11), (1, 10), (5, 0)] {
        journal.access_slot(&world, bob, number(slot)).unwrap();
        journal.set_slot(bob, number(slot), number(value));
    }
    let diff = journal.finish().diff;
    assert_eq!(diff.accounts.len(), 1);
    let slots: Vec<_> = diff.accounts[0]
        .storage
        .iter()
        .map(|slot| (slot.slot, slot.before, slot.after))
        .collect();
    let expected = [
        (number(2), number(20), number(0)),
        (number(9), number(0), number(1)),
    ];
    assert_eq!(slots, expected);
}

#[test]
#[should_panic(expected = "a slot is accessed before it is written")]
fn a_slot_that_was_not_accessed_cannot_be_written() {
    let world = World::new();
    let mut journal = Journal::default();
    let alice = journal.load(&world, ALICE).unwrap();
    journal.set_slot(alice, number(1), number(1));
}

#[test]
fn transient_storage_ends_with_the_transaction() {
    let world = World::new();
    let mut journal = Journal::default();
    let alice = journal.load(&world, ALICE).unwrap();
    journal.set_transient(alice, number(1), number(5));
    assert_eq!(journal.transient(alice, number(1)), number(5));
    assert!(journal.finish().diff.accounts.is_empty());
    journal.reset();
    let alice = journal.load(&world, ALICE).unwrap();
    assert_eq!(journal.transient(alice, number(1)), number(0));
}

#[test]
fn eip_6780_an_old_contract_only_sends_its_balance() {
    let world = World::new();
    let mut journal = Journal::default();
    let alice = journal.load(&world, ALICE).unwrap();
    let bob = journal.load(&world, BOB).unwrap();
    journal.self_destruct(alice, alice).unwrap();
    assert_eq!(
        journal.account(alice).balance(),
        world.balance(ALICE),
        "nothing is burned"
    );
    journal.self_destruct(alice, bob).unwrap();
    assert!(!journal.account(alice).is_destroyed());
    assert_eq!(journal.account(bob).balance(), world.balance(ALICE));
    assert_eq!(journal.finish().destroyed, U256::ZERO);
}

#[test]
fn eip_6780_a_new_contract_is_destroyed_and_its_own_coins_burned() {
    let world = World::new();
    let mut journal = Journal::default();
    let alice = journal.load(&world, ALICE).unwrap();
    let bob = journal.load(&world, BOB).unwrap();
    journal.create_contract(bob);
    journal.transfer(alice, bob, number(100)).unwrap();
    journal.self_destruct(bob, bob).unwrap();
    assert_eq!(journal.account(bob).balance(), U256::ZERO);
    // What arrives later in the same transaction is lost as well.
    journal.transfer(alice, bob, number(11)).unwrap();
    let finished = journal.finish();
    assert_eq!(finished.destroyed, number(111));
    assert!(
        finished
            .diff
            .accounts
            .iter()
            .all(|change| change.address == ALICE)
    );
}

#[test]
fn eip_6780_a_reverted_destruction_burns_nothing() {
    let world = World::new();
    let mut journal = Journal::default();
    let alice = journal.load(&world, ALICE).unwrap();
    let bob = journal.load(&world, BOB).unwrap();
    journal.create_contract(bob);
    journal.transfer(alice, bob, number(100)).unwrap();
    let checkpoint = journal.checkpoint();
    journal.self_destruct(bob, bob).unwrap();
    journal.revert(checkpoint);
    assert!(!journal.account(bob).is_destroyed());
    assert_eq!(journal.account(bob).balance(), number(100));
    assert_eq!(journal.finish().destroyed, U256::ZERO);
}
