//! The run: the sender's nonce, warm sets, delegations, then the outermost frame.

use super::{Request, authorize};
use crate::{
    BlockEnv, Journal, State, delegation,
    engine::{Create, Run},
    frame::FrameEnd,
    instructions::call::{Call, code_of},
    journal::AccountId,
    memory::Range,
    trace::{FrameKind, Tracer},
};
use alloy_primitives::{Address, B256, Bytes, TxKind};

/// How the outermost frame ended.
pub(crate) struct Ran {
    /// Address of the new contract, also where the creation failed.
    pub created: Option<Address>,
    pub frame: FrameEnd,
}

impl<S, T> Run<'_, S, T>
where
    S: State + ?Sized,
    T: Tracer,
{
    /// Runs a request whose sender was validated.
    pub fn request(&mut self, request: &Request<'_>, intrinsic_gas: u64) -> Result<Ran, S::Error> {
        let (state, block) = (self.state, self.env.block);
        let journal = &mut self.engine.journal;
        let sender = journal.access(state, request.sender)?.id;
        let nonce = journal.account(sender).nonce();
        // Only a call can stand at the maximum: EIP-2681 makes such a transaction invalid.
        journal.set_nonce(sender, nonce.saturating_add(1));
        warm(journal, block, request);
        authorize::all(journal, state, block.chain_id, request.authorizations)?;

        let gas = request.gas_limit.saturating_sub(intrinsic_gas);
        match request.to {
            TxKind::Call(target) => {
                let call = outermost_call(journal, state, request, sender, target, gas)?;
                let frame = self.call(&call)?;
                Ok(Ran {
                    created: None,
                    frame,
                })
            }
            TxKind::Create => {
                let address = request.sender.create(nonce);
                let create = Create {
                    kind: FrameKind::Create,
                    creator: sender,
                    creator_address: request.sender,
                    address,
                    value: request.value,
                    gas,
                };
                let frame = self.create(&create)?;
                Ok(Ran {
                    created: Some(address),
                    frame,
                })
            }
        }
    }
}

fn outermost_call<S>(
    journal: &mut Journal,
    state: &S,
    request: &Request<'_>,
    sender: AccountId,
    target: Address,
    gas: u64,
) -> Result<Call, S::Error>
where
    S: State + ?Sized,
{
    let contract = journal.access(state, target)?.id;
    let (code_hash, code) = executed_code(journal, state, contract)?;
    Ok(Call {
        kind: FrameKind::Call,
        gas,
        code_address: target,
        code_hash,
        code,
        contract,
        address: target,
        caller: request.sender,
        payer: sender,
        payer_address: request.sender,
        value: request.value,
        is_static: false,
        input: Range::all(request.input),
        output: Range::default(),
    })
}

/// The code that a call to `target` runs. EIP-7702: "clients must retrieve only the first code and then
/// stop following the delegation chain"; "if a transaction's destination has a delegation indicator, add
/// the target of the delegation to accessed_addresses".
fn executed_code<S>(
    journal: &mut Journal,
    state: &S,
    target: AccountId,
) -> Result<(B256, Bytes), S::Error>
where
    S: State + ?Sized,
{
    let (hash, code) = code_of(journal, state, target)?;
    match delegation::delegate(&code) {
        None => Ok((hash, code)),
        Some(delegate) => {
            let delegate = journal.access(state, delegate)?.id;
            code_of(journal, state, delegate)
        }
    }
}

/// Fills the warm sets (EIP-2929). Sender and target are added where they are loaded, precompiles are
/// always warm.
fn warm(journal: &mut Journal, block: &BlockEnv, request: &Request<'_>) {
    // EIP-3651: "accessed_addresses shall be initialized to also include the address returned by COINBASE".
    journal.warm_account(block.beneficiary);
    // EIP-2930: "The address and storage keys would be immediately loaded into the accessed_addresses and
    // accessed_storage_keys global sets".
    for (address, slots) in request.access_list {
        journal.warm_account(*address);
        for slot in slots {
            journal.warm_slot(*address, *slot);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        AccountInfo, Authorization, Halt, Precompiles, Status, code::Translation, engine::Engine,
        interpreter::Env, trace::NoTracer,
    };
    use alloy_primitives::{U256, keccak256};
    use std::convert::Infallible;

    const SENDER: Address = Address::repeat_byte(1);
    const TARGET: Address = Address::repeat_byte(2);
    const MINER: Address = Address::repeat_byte(3);
    const DELEGATE: Address = Address::repeat_byte(4);
    const LISTED: Address = Address::repeat_byte(5);
    const STRANGER: Address = Address::repeat_byte(6);
    const CONTRACT: Address = Address::repeat_byte(7);

    /// Everybody has an empty account, but the contract has code.
    struct Plain;

    /// INVALID.
    const CODE: Bytes = Bytes::from_static(&[0xfe]);

    impl State for Plain {
        type Error = Infallible;

        fn account(&self, address: Address) -> Result<Option<AccountInfo>, Infallible> {
            let code_hash = keccak256(&CODE);
            let contract = AccountInfo {
                code_hash,
                ..AccountInfo::default()
            };
            Ok(Some(if address == CONTRACT {
                contract
            } else {
                AccountInfo::default()
            }))
        }

        fn storage(&self, _: Address, _: U256) -> Result<U256, Infallible> {
            Ok(U256::ZERO)
        }

        fn code(&self, _: B256) -> Result<Bytes, Infallible> {
            Ok(CODE)
        }

        fn block_hash(&self, _: u64) -> Result<B256, Infallible> {
            Ok(B256::ZERO)
        }
    }

    fn ran(request: &Request<'_>) -> (Journal, Ran) {
        let block = BlockEnv {
            beneficiary: MINER,
            ..BlockEnv::default()
        };
        let mut engine = Engine::new(Precompiles::default(), Translation::Warming);
        let env = Env {
            block: &block,
            origin: SENDER,
            gas_price: 0,
        };
        let input = request.input;
        let mut run = Run {
            engine: &mut engine,
            state: &Plain,
            env,
            input,
            tracer: &mut NoTracer,
        };
        let Ok(ran) = run.request(request, 21_000);
        (engine.journal, ran)
    }

    fn request(to: TxKind, input: &Bytes) -> Request<'_> {
        let (value, gas_limit) = (U256::ZERO, 100_000);
        let (access_list, authorizations) = (&[][..], &[][..]);
        Request {
            sender: SENDER,
            gas_limit,
            to,
            value,
            input,
            access_list,
            authorizations,
        }
    }

    fn is_warm(journal: &mut Journal, address: Address) -> bool {
        let Ok(access) = journal.access(&Plain, address);
        !access.cold
    }

    #[test]
    fn sender_target_and_beneficiary_are_warm() {
        let (mut journal, _) = ran(&request(TxKind::Call(TARGET), &Bytes::new()));
        for address in [SENDER, TARGET, MINER] {
            assert!(is_warm(&mut journal, address), "{address}");
        }
        assert!(!is_warm(&mut journal, STRANGER));
    }

    #[test]
    fn eip_2930_the_access_list_is_warm() {
        let slot = B256::with_last_byte(9);
        let access_list = &[(LISTED, vec![slot])][..];
        let input = Bytes::new();
        let (mut journal, _) = ran(&Request {
            access_list,
            ..request(TxKind::Call(TARGET), &input)
        });
        assert!(is_warm(&mut journal, LISTED));
        let Ok(id) = journal.load(&Plain, LISTED);
        let Ok(listed) = journal.access_slot(&Plain, id, slot.into());
        let Ok(other) = journal.access_slot(&Plain, id, U256::from(8));
        assert!(!listed.cold && other.cold);
    }

    #[test]
    fn eip_7702_authority_and_delegate_are_warm() {
        let authorization = |authority, nonce| Authorization {
            chain_id: U256::ZERO,
            address: DELEGATE,
            nonce,
            authority: Some(authority),
        };
        // The second entry fails at its nonce, after its authority became warm; the third one before that.
        let list = [
            authorization(TARGET, 0),
            authorization(LISTED, 5),
            authorization(STRANGER, u64::MAX),
        ];
        let input = Bytes::new();
        let request = Request {
            authorizations: &list,
            ..request(TxKind::Call(TARGET), &input)
        };
        let (mut journal, _) = ran(&request);
        let Ok(target) = journal.load(&Plain, TARGET);
        assert_eq!(
            journal.code(&Plain, target),
            Ok(delegation::indicator(DELEGATE))
        );
        assert!(is_warm(&mut journal, DELEGATE));
        assert!(is_warm(&mut journal, LISTED));
        assert!(!is_warm(&mut journal, STRANGER));
    }

    #[test]
    fn a_new_contract_is_created_and_warm() {
        let (mut journal, ran) = ran(&request(TxKind::Create, &Bytes::new()));
        let address = ran.created.unwrap();
        assert_eq!(address, SENDER.create(0));
        let Ok(access) = journal.access(&Plain, address);
        assert!(!access.cold && journal.account(access.id).is_created());
    }

    #[test]
    fn a_failed_frame_is_undone_but_for_nonce_and_warmth() {
        let (mut journal, failed) = ran(&request(TxKind::Create, &CODE));
        assert_eq!(failed.frame.status, Status::Halt(Halt::InvalidOpcode(0xfe)));
        let Ok(access) = journal.access(&Plain, SENDER.create(0));
        assert!(!access.cold && !journal.account(access.id).is_created());
        let Ok(sender) = journal.load(&Plain, SENDER);
        assert_eq!(journal.account(sender).nonce(), 1);

        let (mut journal, failed) = ran(&request(TxKind::Call(CONTRACT), &Bytes::new()));
        assert_eq!((failed.frame.gas_left, failed.created), (0, None));
        assert!(is_warm(&mut journal, CONTRACT));
    }
}
