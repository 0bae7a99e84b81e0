// latest_checks.hpp: a check of a latest value between two threads. It says what is wrong, so that mutants can fail it.
#pragma once

#include <atomic>
#include <cstdint>
#include <string>
#include <thread>

#include <cueline/latest.hpp>

namespace cueline::test {

/// Writes 1 to `count` on this thread while another thread reads until it has the last value. Returns the first fault
/// that the reader found, or an empty text.
template <class LatestType>
std::string goes_wrong_between_a_writer_and_a_reader(std::uint64_t count) {
    using T = typename LatestType::value_type;
    LatestType latest{T::of(0)};
    std::string wrong;
    std::atomic<bool> reads = false;
    std::atomic<bool> written = false;
    std::atomic<bool> over = false;
    std::thread reader{[&] {
        std::uint64_t newest = 0;
        T value = T::of(0);
        while (wrong.empty()) {
            const bool must_be_last = written.load();  // before the read, so that this read must give the last value
            const bool news = latest.read(value);
            reads = true;
            if (!value.whole()) wrong = "value " + std::to_string(value.number()) + " is torn";
            if (value.number() < newest) wrong = "the value went back";
            if (news != (value.number() > newest)) wrong = "what is called new is not, or the other way round";
            newest = value.number();
            if (must_be_last && newest != count) wrong = "the last value was not read";
            if (must_be_last) break;
        }
        over = true;
    }};
    // On a busy machine, one thread could do all its work before the other one runs. So the first writes wait for
    // reads. That orders reads before writes, and no write before a read: a race between the two is still there to be
    // seen.
    const auto wait_for_a_read = [&] {
        reads = false;
        while (!reads && !over) std::this_thread::yield();
    };
    wait_for_a_read();
    for (std::uint64_t number = 1; number <= count && !over; ++number) {
        latest.write(T::of(number));
        if (number <= 1000 && number % 100 == 0) wait_for_a_read();
    }
    written = true;
    reader.join();
    return wrong;
}

}  // namespace cueline::test
