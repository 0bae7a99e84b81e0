// headers.cpp: takes a command through a link, with nothing but the installed headers.
#include <cstdio>

#include <cueline/audio_side.hpp>
#include <cueline/control_side.hpp>
#include <cueline/processor.hpp>

int main() {
    static cueline::Link link;
    cueline::ControlSide control{link};
    cueline::AudioSide audio{link};
    control.send(cueline::kind::first_user, 7);
    audio.begin_block(0);
    cueline::Message message;
    if (audio.receive(message) == cueline::Status::ok) std::printf("took %d\n", message.as<int>());
}
