//! Messages and their headers over both eras, by the ids of the requirements.

mod agreement;
mod message;
mod parameters;

/// The call of requirements §6.1.
const CALL: &str = r#"{"jsonrpc":"2.0","id":7,"method":"tools/call","params":{"name":"add_comment","arguments":{"issue":"TR-12","text":"done"},
 "_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28","io.modelcontextprotocol/clientInfo":{"name":"InitechAgent","version":"3.1"},
 "io.modelcontextprotocol/clientCapabilities":{"extensions":{"io.modelcontextprotocol/enterprise-managed-authorization":{}}}}}}"#;
