// seqlock_checks.hpp: a check of a value between one writer and readers. It says what is wrong, so that mutants fail
// it.
#pragma once

#include <atomic>
#include <cstdint>
#include <string>
#include <thread>
#include <vector>

#include <cueline/seqlock.hpp>

namespace cueline::test {

/// Writes 1 to `count` on this thread while other threads read until they have the last value. Returns the first fault
/// that a reader found, or an empty text.
template <class SeqlockType>
std::string goes_wrong_between_a_writer_and_readers(std::uint64_t count, int readers) {
    using T = typename SeqlockType::value_type;
    SeqlockType latest;
    latest.write(T::of(0));
    std::vector<std::string> wrong(static_cast<std::size_t>(readers));
    std::atomic<int> have_read = 0;
    std::atomic<bool> written = false;
    std::atomic<int> over = 0;
    const auto read = [&](std::string& fault) {
        std::uint64_t newest = 0;
        for (T value = T::of(0); fault.empty();) {
            const bool must_be_last = written.load();  // before the read, so that this read must give the last value
            const bool found = latest.read(value);
            ++have_read;
            if (!value.whole()) fault = "value " + std::to_string(value.number()) + " is torn";
            if (value.number() < newest) fault = "the value went back";
            newest = value.number();
            if (must_be_last && !found) fault = "nobody writes, and yet nothing is read";
            if (must_be_last && newest != count) fault = "the last value was not read";
            if (must_be_last) break;
        }
        ++over;
    };
    std::vector<std::thread> threads;
    for (std::string& fault : wrong) threads.emplace_back(read, std::ref(fault));
    // On a busy machine, one thread could do all its work before the others run. So the first writes wait for reads.
    const auto wait_for_a_read = [&] {
        const int before = have_read;
        while (have_read == before && over == 0) std::this_thread::yield();
    };
    wait_for_a_read();
    for (std::uint64_t number = 1; number <= count && over == 0; ++number) {
        latest.write(T::of(number));
        if (number <= 1000 && number % 100 == 0) wait_for_a_read();
    }
    written = true;
    for (std::thread& thread : threads) thread.join();
    for (const std::string& fault : wrong) {
        if (!fault.empty()) return fault;
    }
    return "";
}

}  // namespace cueline::test
