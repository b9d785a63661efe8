//! Stands before an emulator and does what MongoDB does now and then, and the emulator never: refuses
//! commands, loses requests and answers.

use std::io::{Read, Write};
use std::net::TcpStream;

use mongodb::bson::{Document, doc};

/// Of a message: length, id, the id that it answers, and what it is.
const HEAD: usize = 16;
/// The kind of all messages but those of old drivers.
const OP_MSG: i32 = 2013;

/// What is done instead of passing a command on.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Fault {
    /// The request gets lost.
    LoseRequest,
    /// It is passed on, and the answer gets lost.
    LoseAnswer,
    /// It is not passed on, and this is answered.
    Answer(Document),
}

impl Fault {
    /// An error with these labels.
    pub(crate) fn error(code: i32, name: &str, labels: &[&str]) -> Self {
        Self::Answer(doc! {
            "ok": 0.0, "code": code, "codeName": name, "errmsg": name, "errorLabels": labels,
        })
    }
}

/// Does it by the names of commands.
pub(crate) type Interposer = outrigger_testkit::Interposer<Fault>;

/// One before the server on this port.
pub(crate) fn before(server: u16) -> Interposer {
    // A lost request or answer ends the connection.
    Interposer::start(move |interposer, client| {
        serve(interposer, client, server);
    })
    .unwrap()
}

fn serve(interposer: &Interposer, mut client: TcpStream, server: u16) -> Option<()> {
    let mut server = TcpStream::connect(("127.0.0.1", server)).ok()?;
    loop {
        let request = message(&mut client)?;
        let fault = command(&request).and_then(|command| interposer.fault(|name| name == command));
        match &fault {
            Some(Fault::LoseRequest) => return None,
            Some(Fault::Answer(answer)) => {
                client.write_all(&reply(&request, answer)).ok()?;
                continue;
            }
            Some(Fault::LoseAnswer) | None => {}
        }
        server.write_all(&request).ok()?;
        let answer = message(&mut server)?;
        if fault.is_some() {
            return None;
        }
        client.write_all(&answer).ok()?;
    }
}

fn message(stream: &mut TcpStream) -> Option<Vec<u8>> {
    let mut message = vec![0; HEAD];
    stream.read_exact(&mut message).ok()?;
    let length = usize::try_from(number(&message, 0)).ok()?;
    message.resize(length, 0);
    stream.read_exact(&mut message[HEAD..]).ok()?;
    Some(message)
}

fn number(message: &[u8], at: usize) -> i32 {
    i32::from_le_bytes(message[at..at + 4].try_into().unwrap())
}

/// The name of the command: that of its first field.
fn command(message: &[u8]) -> Option<String> {
    // Behind the head stand flags, and the kind of the first part, which has the command.
    if number(message, 12) != OP_MSG || message[HEAD + 4] != 0 {
        return None;
    }
    let document = Document::from_reader(&message[HEAD + 5..]).ok()?;
    document.keys().next().cloned()
}

fn reply(request: &[u8], answer: &Document) -> Vec<u8> {
    let body = answer.to_vec().unwrap();
    let length = i32::try_from(HEAD + 5 + body.len()).unwrap();
    let mut reply = Vec::new();
    for number in [length, 0, number(request, 4), OP_MSG, 0] {
        reply.extend(number.to_le_bytes());
    }
    reply.push(0);
    reply.extend(body);
    reply
}
