//! The ceiling: no server at all, only what a room must do.

use std::{io, rc::Rc};

use bench_wire::{
    bare::{self, Members, write},
    frame,
};
use tokio::net::TcpStream;

fn react(text: &str, stream: &Rc<TcpStream>, members: &Members) -> io::Result<()> {
    if text == "40" {
        write(stream, &frame("40{}")?)?;
    } else if text.starts_with("420") {
        members.borrow_mut().push(Rc::clone(stream));
        write(stream, &frame("430[]")?)?;
    } else if let Some(said) = text.strip_prefix("42[\"say\"") {
        let frame = frame(&format!("42[\"said\"{said}"))?;
        for other in members.borrow().iter() {
            write(other, &frame)?;
        }
    }
    Ok(())
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let port = std::env::args().nth(1).ok_or("a port is missing")?;
    Ok(bare::run(port.parse()?, react).await?)
}
