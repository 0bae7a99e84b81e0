"""Play sounds by OSC: the messages have a line of their own, and their time tags become frames.

Without arguments it plays to itself. `python osc.py 127.0.0.1 9000` serves that address until somebody sends /quit.
"""

import socket
import sys
import threading
import time

from pythonosc.osc_bundle_builder import OscBundleBuilder
from pythonosc.osc_message_builder import OscMessageBuilder
from pythonosc.osc_packet import OscPacket, ParseError

import cueline


def serve(engine: cueline.AudioEngine, udp: socket.socket) -> None:
    """Play what comes: /play slot gain, at the frame of the time tag, and /set name value."""
    since_epoch_ns = time.time_ns() - time.monotonic_ns()
    with engine.open_line() as line:
        while True:
            try:
                for time_s, message in OscPacket(udp.recv(65_536)).messages:
                    frame = engine.frame_at(max(0, int(time_s * 1e9) - since_epoch_ns))
                    if message.address == "/play":
                        slot, gain = message.params
                        line.send(cueline.PlayBuffer(slot, gain=gain), at=frame if frame > engine.now() else None)
                    elif message.address == "/set":
                        engine.parameters[message.params[0]] = message.params[1]
                    elif message.address == "/quit":
                        return
            except (ParseError, ValueError, TypeError, LookupError) as error:  # cueline's are among them
                print("left out:", error)


def note(time_s: float, slot: int, gain: float) -> bytes:
    """Return the packet of a note at a time of time.time()."""
    bundle, message = OscBundleBuilder(time_s), OscMessageBuilder("/play")
    message.add_arg(slot)
    message.add_arg(gain)
    bundle.add_content(message.build())
    return bytes(bundle.build().dgram)


if __name__ == "__main__":
    with cueline.AudioEngine(processor="player") as engine, socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as udp:
        engine.publish(0, cueline.sounds.kick(engine.samplerate))
        udp.bind((sys.argv[1], int(sys.argv[2])) if len(sys.argv) == 3 else ("127.0.0.1", 0))
        engine.wait_until(1)  # now frames have times
        serving = threading.Thread(target=serve, args=(engine, udp), daemon=True)
        serving.start()
        if len(sys.argv) != 3:
            for beat in range(4):
                udp.sendto(note(time.time() + 0.3 + beat / 4, 0, 0.8), udp.getsockname())
            engine.wait_until(engine.after(1.2))
            udp.sendto(OscMessageBuilder("/quit").build().dgram, udp.getsockname())
        serving.join()
        print("commands by OSC:", engine.stats().lines[1].commands.sent)
