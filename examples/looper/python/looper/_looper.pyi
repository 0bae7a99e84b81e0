from cueline import AudioEngine
from cueline.processors import CapsuleType

def processor() -> CapsuleType:
    """Return a new processor, for cueline.AudioEngine(processor=...)."""

class MidiThread:
    """A thread in C++ that sends a trigger for each note."""

    def join(self) -> int:
        """Wait until all notes are sent, and return how many were."""

def midi_thread(engine: AudioEngine, notes: list[tuple[int, int]], grid: int = 0) -> MidiThread:
    """Start a thread that triggers pads on a line of its own: each note is a frame and a pad."""
