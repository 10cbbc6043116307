//! Lying to the gateway: on descriptors, in answers, through what the bootstrap is made of.

use serde_json::{Value, json};

use super::hostile::{Hostile, handler};

const SILENT: (&str, &str) =
    ("Runtime.ExitError", "RequestId: ID Error: Runtime exited without providing a reason");

fn owned((kind, message): (&str, &str)) -> (String, String) {
    (kind.to_owned(), message.to_owned())
}

#[tokio::test]
async fn garbage_on_every_descriptor_ends_the_sandbox() {
    let hostile = Hostile::handling(
        "for (let fd = 0; fd < 64; fd += 1) { try { fs.writeSync(fd, 'this is no frame, and longer than one header'); } catch {} }
         for (;;) {}",
    )
    .await;
    assert_eq!(hostile.error("").await, owned(SILENT));
    hostile.over().await;
}

#[tokio::test]
async fn closing_every_descriptor_ends_the_sandbox() {
    let hostile = Hostile::handling(
        "for (let fd = 0; fd < 64; fd += 1) { try { fs.closeSync(fd); } catch {} }
         for (;;) {}",
    )
    .await;
    // Nobody is left to say how it ended, and it does not end by itself.
    let (kind, message) = hostile.error("").await;
    assert_eq!((&*kind, &*message), SILENT);
    hostile.over().await;
}

/// Writes an answer of its own for the running invocation.
const FORGE: &str = "const forge = (id, json) => {
  const body = Buffer.concat([Buffer.from(id.replaceAll('-', ''), 'hex'), Buffer.from([0]), Buffer.from(json)]);
  const head = Buffer.from([0, 0, 0, 0, 0x84, 0, 0, 0]);
  head.writeUInt32LE(body.length);
  fs.writeSync(4, Buffer.concat([head, body]));
};";

#[tokio::test]
async fn answering_twice_ends_the_sandbox() {
    let hostile = Hostile::handling(&format!(
        "{FORGE} if (event.twice) forge(context.awsRequestId, '\"forged\"'); return 'honest';"
    ))
    .await;
    // What a function answers is its own business; the second answer belongs to nobody.
    assert_eq!(hostile.value(r#"{"twice":true}"#).await, "forged");
    assert_eq!(hostile.error("{}").await, owned(SILENT));
    assert_eq!(hostile.value("{}").await, "honest");
    hostile.over().await;
}

#[tokio::test]
async fn answering_for_another_invocation_ends_the_sandbox() {
    let hostile = Hostile::handling(&format!(
        "{FORGE} globalThis.last ??= context.awsRequestId;
         if (event.late) {{ forge(globalThis.last, '1'); for (;;) {{}} }}
         return 'honest';"
    ))
    .await;
    assert_eq!(hostile.value("{}").await, "honest");
    assert_eq!(hostile.error(r#"{"late":true}"#).await, owned(SILENT));
    hostile.over().await;
}

#[tokio::test]
async fn answering_before_it_is_asked_ends_the_sandbox() {
    let code =
        format!("{FORGE} {}", handler("forge('00000000-0000-0000-0000-000000000000', '1'); return 'honest'"))
            .replacen("const fs = require('node:fs');", "", 1);
    let code =
        format!("const fs = require('node:fs'); {code} forge('00000000-0000-0000-0000-000000000000', '1');");
    let hostile = Hostile::with(&code).await;
    assert_eq!(hostile.error("").await, owned(SILENT));
    hostile.over().await;
}

#[tokio::test]
async fn what_javascript_is_made_of_may_change() {
    let hostile = Hostile::with(
        "const no = () => { throw new Error('polluted'); };
JSON.parse = JSON.stringify = no;
Promise.resolve = no;
Promise.prototype.then = function (ok) { ok('forged'); };
Array.prototype[Symbol.iterator] = function* () { yield 'forged'; };
for (const name of ['push', 'map', 'join', 'slice', 'shift']) Array.prototype[name] = () => 'forged';
Function.prototype.call = Function.prototype.apply = Function.prototype.bind = () => 'forged';
Buffer.from = Buffer.alloc = Buffer.allocUnsafe = Buffer.prototype.write = Buffer.prototype.copy = no;
const fs = require('node:fs');
fs.readSync = fs.writeSync = no;
process.emit = process.exit = process.on = () => true;
globalThis.setImmediate = globalThis.setTimeout = no;
Object.assign(Object.prototype, { heapLimitMb: 1, dataLimitMb: 1, identity: 'forged', requestId: 'forged' });
exports.handler = async (event) => event;",
    )
    .await;
    for payload in [r#""first""#, r#""second""#] {
        assert_eq!(hostile.stand.value("fn", payload).await, serde_json::from_str::<Value>(payload).unwrap());
    }
    hostile.over().await;
}

#[tokio::test]
async fn a_function_without_listeners_ends_without_an_answer() {
    // The classic way of never answering: nothing is left to run, and nobody notices.
    let hostile = Hostile::with(
        "exports.handler = () => { process.removeAllListeners(); process.emit = () => false; };",
    )
    .await;
    assert_eq!(hostile.error("").await, owned(SILENT));
    hostile.over().await;
}

#[tokio::test]
async fn events_that_did_not_happen_end_its_own_invocation_alone() {
    let hostile =
        Hostile::handling("if (event.name) process.emit(event.name, new Error('forged')); return 'honest';")
            .await;
    // Nothing is left to run, says the function: then that is its answer.
    assert_eq!(hostile.value(r#"{"name":"beforeExit"}"#).await, Value::Null);
    assert_eq!(hostile.value("{}").await, "honest");
    assert_eq!(
        hostile.error(r#"{"name":"uncaughtException"}"#).await,
        ("Error".to_owned(), "forged".to_owned())
    );
    assert_eq!(hostile.value("{}").await, json!("honest"));
    hostile.over().await;
}

#[tokio::test]
async fn the_native_part_only_ever_lowers_limits() {
    let hostile = Hostile::handling(
        "const { constants } = require('node:os');
const addon = { exports: {} };
process.dlopen(addon, '/var/runtime/sandbox.node', constants.dlopen.RTLD_NOW);
const limit = () => [require('node:v8').getHeapStatistics().heap_size_limit,
  fs.readFileSync('/proc/self/limits', 'utf8').match(/^Max data size.*$/m)[0]];
const before = limit();
addon.exports.setHeapLimit(8000);
let raised = 'ok';
try { addon.exports.setDataLimit(8000); } catch (error) { raised = error.message; }
return [JSON.stringify(before) === JSON.stringify(limit()), raised, before];",
    )
    .await;
    let said = hostile.value("").await;
    assert_eq!(said[0], true, "{said}");
    hostile.over().await;
}
