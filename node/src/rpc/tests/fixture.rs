//! A node without threads and sockets: requests reach its core through the same channel.

use std::sync::Arc;
use std::time::Duration;

use alloy_consensus::{SignableTransaction, TxEip1559, TxEip2930, TxEip7702, TxLegacy};
use alloy_eips::eip7702::Authorization;
use alloy_primitives::{Address, B256, Bytes, TxKind, U256, address, hex};
use cairn_genesis::{
    Body, ChainSpec, GenesisAccount, NativeTransaction, Seal, Target, Transaction, block_hash,
    native_address,
};
use ed25519_dalek::{Signer, SigningKey};
use jsonrpsee::RpcModule;
use jsonrpsee::core::JsonRawValue;
use parking_lot::Mutex;
use serde_json::{Value, json};
use tokio::sync::{mpsc, watch};

use crate::chain::{Template, TemplateRequest};
use crate::core::{Action, Answer, Core, Event, Now};
use crate::rpc::api::Api;
use crate::rpc::{
    CoreHandle, CoreRequest, DevAccounts, Mining, MiningStatus, PoolMirror, RpcContext,
    SubmitError, methods,
};
use crate::store::{Memory, Store};

/// The first two keys of the test mnemonic.
const KEYS: [[u8; 32]; 2] = [
    hex!("ac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80"),
    hex!("59c6995e998f97a5a0044966f0945389dc9e86dae88c7a8412f4603b6b78690d"),
];
/// Their addresses.
pub const ALICE: Address = address!("f39Fd6e51aad88F6F4ce6aB8827279cffFb92266");
pub const BOB: Address = address!("70997970C51812dc3A010C7d01b50e0d17dc79C8");
/// Who has nothing.
pub const CAROL: Address = address!("00000000000000000000000000000000000ca501");
/// Who mines.
pub const MINER: Address = address!("00000000000000000000000000000000000e1e1e");
pub const CHAIN_ID: u64 = 31337;
pub const GWEI: u128 = 1_000_000_000;

/// The chain `dev`, plus one funded native account.
fn spec() -> ChainSpec {
    let mut spec = ChainSpec::builtin("dev").unwrap().clone();
    let balance = U256::from(10).pow(U256::from(20));
    spec.alloc.insert(
        native_sender(),
        GenesisAccount {
            balance,
            ..Default::default()
        },
    );
    spec
}

fn native_key() -> SigningKey {
    SigningKey::from_bytes(&[7; 32])
}

/// The native account.
pub fn native_sender() -> Address {
    native_address(&native_key().verifying_key().to_bytes())
}

/// The node.
pub struct Node {
    pub context: RpcContext,
    module: RpcModule<Api>,
    core: Arc<Mutex<Core>>,
    shared: Arc<Shared>,
}

/// What the node's shell keeps up to date.
struct Shared {
    pool: Arc<PoolMirror>,
    head: watch::Sender<B256>,
    now: Mutex<Now>,
}

impl Shared {
    /// Carries out actions and returns the answer among them.
    fn carry_out(&self, actions: Vec<Action>) -> Option<Answer> {
        let mut answer = None;
        for action in actions {
            match action {
                Action::Pool { added, removed } => self.pool.apply(added, removed),
                Action::Moved(moved) => drop(self.head.send_replace(moved.to.hash)),
                Action::Answer(given) => answer = Some(given),
            }
        }
        answer
    }
}

impl Node {
    /// A fresh chain. Must be called on a tokio runtime.
    pub fn start() -> Self {
        let spec = Arc::new(spec());
        let store: Arc<dyn Store> = Arc::new(Memory::default());
        let now = Now {
            ms: (spec.genesis_time + 100) * 1000,
        };
        let (core, actions) = Core::open(Arc::clone(&store), Arc::clone(&spec), now).unwrap();
        let (head, head_receiver) = watch::channel(core.tip().hash);
        let shared = Arc::new(Shared {
            pool: Arc::default(),
            head,
            now: Mutex::new(now),
        });
        shared.carry_out(actions);
        let genesis_hash = core.tip().hash;
        let core = Arc::new(Mutex::new(core));
        let (handle, mut requests) = CoreHandle::channel();
        let (serving, to_serve) = (Arc::clone(&core), Arc::clone(&shared));
        tokio::spawn(async move {
            while let Some(request) = requests.recv().await {
                serve(&serving, &to_serve, request);
            }
        });
        let clock = Arc::clone(&shared);
        let context = RpcContext {
            store,
            spec,
            genesis_hash,
            pool: Arc::clone(&shared.pool),
            core: handle,
            mining: Arc::new(MiningStatus::new(Mining {
                active: false,
                wait_s: None,
                mode: "off",
                threads: 2,
                hashes_per_second: 1000,
                beneficiary: Some(MINER),
            })),
            network: None,
            head: head_receiver,
            dev: Some(DevAccounts::new(KEYS).unwrap()),
            now_s: Arc::new(move || clock.now.lock().s()),
            client_version: "cairn/test".into(),
        };
        Self {
            module: methods::all(context.clone()),
            context,
            core,
            shared,
        }
    }

    /// Mines one block with what the pool holds.
    pub fn mine(&self) -> B256 {
        self.shared.now.lock().ms += 2000;
        let now = *self.shared.now.lock();
        let request = TemplateRequest {
            now_s: now.s(),
            beneficiary: MINER,
            extra: Bytes::from_static(b"test"),
        };
        let template = match self.handle(Event::Template(request)) {
            Some(Answer::Template(Ok(template))) => template,
            other => panic!("no template: {other:?}"),
        };
        let block = template.seal(&self.context.spec, seal(&template)).unwrap();
        let hash = block.hash();
        let answer = self.handle(Event::Block(Box::new(block)));
        assert!(matches!(answer, Some(Answer::Block(Ok(_)))), "{answer:?}");
        hash
    }

    fn handle(&self, event: Event) -> Option<Answer> {
        let now = *self.shared.now.lock();
        let actions = self.core.lock().handle(now, event).unwrap();
        self.shared.carry_out(actions)
    }

    /// Sends one request; the error is the JSON error object.
    pub async fn ask(&self, method: &str, params: Value) -> Result<Value, Value> {
        let request = json!({"jsonrpc": "2.0", "id": 1, "method": method, "params": params});
        let (answer, _) = self
            .module
            .raw_json_request(&request.to_string(), 1)
            .await
            .unwrap();
        let mut answer: Value = serde_json::from_str(answer.get()).unwrap();
        match answer["error"].is_object() {
            true => Err(answer["error"].take()),
            false => Ok(answer["result"].take()),
        }
    }

    /// Subscribes, and gives what comes by it.
    pub async fn subscribe(&self, params: Value) -> Subscription {
        let request =
            json!({"jsonrpc": "2.0", "id": 1, "method": "eth_subscribe", "params": params});
        let asked = self.module.raw_json_request(&request.to_string(), 64).await;
        let (answer, messages) = asked.unwrap();
        let answer: Value = serde_json::from_str(answer.get()).unwrap();
        assert!(!answer["result"].is_null(), "{answer}");
        Subscription {
            id: answer["result"].clone(),
            messages,
        }
    }

    /// A request that must succeed.
    pub async fn get(&self, method: &str, params: Value) -> Value {
        let answer = self.ask(method, params).await;
        answer.unwrap_or_else(|error| panic!("{method}: {error}"))
    }

    /// Sends a signed transaction and returns its hash.
    pub async fn send(&self, transaction: &Transaction) -> Value {
        self.get("eth_sendRawTransaction", json!([transaction.envelope()]))
            .await
    }

    /// Takes the keys away, as on a chain that is not for development.
    pub fn lock(&mut self) {
        self.context.dev = None;
        self.module = methods::all(self.context.clone());
    }

    /// Leaves calls so much time.
    pub fn hurry(&mut self, timeout: Duration) {
        let mut api = Api::new(self.context.clone());
        api.call_timeout = timeout;
        self.module = methods::of(api);
    }

    /// The names of all methods.
    pub fn methods(&self) -> Vec<&'static str> {
        self.module.method_names().collect()
    }
}

/// The receiving end of a subscription.
pub struct Subscription {
    id: Value,
    messages: mpsc::Receiver<Box<JsonRawValue>>,
}

impl Subscription {
    /// Waits for what comes next.
    pub async fn next(&mut self) -> Value {
        let message = self
            .messages
            .recv()
            .await
            .expect("the subscription goes on");
        let mut message: Value = serde_json::from_str(message.get()).unwrap();
        assert_eq!(message["method"], "eth_subscription", "{message}");
        assert_eq!(message["params"]["subscription"], self.id);
        message["params"]["result"].take()
    }
}

fn serve(core: &Mutex<Core>, shared: &Shared, request: CoreRequest) {
    let now = *shared.now.lock();
    let handle = |event| shared.carry_out(core.lock().handle(now, event).unwrap());
    let operator = |event| match handle(event) {
        Some(Answer::Operator(result)) => result.map_err(|error| error.to_string()),
        other => panic!("no answer to the operator: {other:?}"),
    };
    match request {
        CoreRequest::Submit { transaction, reply } => {
            let answer = match handle(Event::Transaction(transaction)) {
                Some(Answer::Transaction(result)) => result.map_err(SubmitError::Refused),
                other => panic!("no answer to a transaction: {other:?}"),
            };
            drop(reply.send(answer));
        }
        CoreRequest::Invalidate { hash, reply } => {
            drop(reply.send(operator(Event::Invalidate(hash))))
        }
        CoreRequest::Reconsider { hash, reply } => {
            drop(reply.send(operator(Event::Reconsider(hash))))
        }
        CoreRequest::Why { hash, reply } => drop(reply.send(core.lock().pool().why(hash))),
    }
}

fn seal(template: &Template) -> Seal {
    let header = &template.header;
    let target = Target::from_bits(header.bits).unwrap();
    let seal = |nonce| Seal {
        version: cairn_genesis::SEAL_VERSION,
        time: u32::try_from(header.timestamp).unwrap(),
        nonce,
        extranonce: [0; 12],
    };
    (0..)
        .map(seal)
        .find(|seal| target.is_met_by(block_hash(header, seal)))
        .unwrap()
}

/// A transfer of one wei to Carol by each of the types, from Alice with nonces from `nonce` on, and
/// a native one.
pub fn one_of_each_type(nonce: u64) -> Vec<Transaction> {
    let to = TxKind::Call(CAROL);
    let (gas_limit, value) = (60_000, U256::ONE);
    let legacy = TxLegacy {
        chain_id: Some(CHAIN_ID),
        nonce,
        gas_price: 3 * GWEI,
        gas_limit,
        to,
        value,
        input: Bytes::new(),
    };
    let access = TxEip2930 {
        chain_id: CHAIN_ID,
        nonce: nonce + 1,
        gas_price: 3 * GWEI,
        gas_limit,
        to,
        value,
        access_list: vec![access_item()].into(),
        input: Bytes::new(),
    };
    let delegation = TxEip7702 {
        chain_id: CHAIN_ID,
        nonce: nonce + 3,
        gas_limit,
        max_fee_per_gas: 3 * GWEI,
        max_priority_fee_per_gas: GWEI,
        to: CAROL,
        value,
        access_list: Default::default(),
        authorization_list: vec![delegation_of_bob()],
        input: Bytes::new(),
    };
    vec![
        signed(ALICE, legacy),
        signed(ALICE, access),
        transfer(ALICE, nonce + 2, 3 * GWEI, GWEI),
        signed(ALICE, delegation),
        native(0),
    ]
}

fn access_item() -> alloy_eips::eip2930::AccessListItem {
    alloy_eips::eip2930::AccessListItem {
        address: CAROL,
        storage_keys: vec![B256::with_last_byte(1)],
    }
}

fn delegation_of_bob() -> alloy_eips::eip7702::SignedAuthorization {
    let authorization = Authorization {
        chain_id: U256::from(CHAIN_ID),
        address: CAROL,
        nonce: 0,
    };
    let keys = DevAccounts::new(KEYS).unwrap();
    let signature = keys.sign(BOB, authorization.signature_hash()).unwrap();
    authorization.into_signed(signature)
}

/// A transfer of one wei to Carol.
pub fn transfer(from: Address, nonce: u64, max_fee: u128, tip: u128) -> Transaction {
    let body = TxEip1559 {
        chain_id: CHAIN_ID,
        nonce,
        gas_limit: 21_000,
        max_fee_per_gas: max_fee,
        max_priority_fee_per_gas: tip,
        to: TxKind::Call(CAROL),
        value: U256::ONE,
        access_list: Default::default(),
        input: Bytes::new(),
    };
    signed(from, body)
}

fn signed(
    from: Address,
    body: impl SignableTransaction<alloy_primitives::Signature> + Into<Body>,
) -> Transaction {
    let keys = DevAccounts::new(KEYS).unwrap();
    let signature = keys.sign(from, body.signature_hash()).unwrap();
    Transaction::ethereum(body, signature).unwrap()
}

/// A native transfer of one wei to Carol.
pub fn native(nonce: u64) -> Transaction {
    let body = NativeTransaction {
        chain_id: CHAIN_ID,
        nonce,
        max_priority_fee: GWEI,
        max_fee: 3 * GWEI,
        gas_limit: 21_000,
        to: TxKind::Call(CAROL),
        value: U256::ONE,
        input: Bytes::new(),
        access_list: Default::default(),
        public_key: native_key().verifying_key().to_bytes(),
    };
    let signature = native_key().sign(body.signing_hash().as_slice()).to_bytes();
    Transaction::native(body, signature)
}
