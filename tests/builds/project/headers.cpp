// headers.cpp: takes a command through a link, with nothing but the installed headers.
#include <cstdio>
#include <span>

#include <cueline/audio_side.hpp>
#include <cueline/line.hpp>
#include <cueline/processor.hpp>

int main() {
    const cueline::OwnedLink link;
    cueline::Line line{link};
    cueline::AudioSide audio{link};
    line.send(cueline::kind::first_user, 7);
    audio.begin_block(0);
    audio.read(
        [](std::span<const cueline::Message> whole) noexcept { std::printf("took %d\n", whole.front().as<int>()); });
}
