// jack_server.cpp: starts jackd, waits for it with jack_wait, and ends it by its process id.
#include <fcntl.h>
#include <sys/file.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <stdexcept>
#include <string>
#include <thread>

#include "jack_server.hpp"
#include "sanitizers.hpp"

// libjack keeps its metadata in Berkeley DB, which leaks memory if a client that qemu runs has left its files there.
#if defined(__SANITIZE_ADDRESS__) || CUELINE_HAS_FEATURE(address_sanitizer)
#include <sanitizer/lsan_interface.h>

const char* __lsan_default_suppressions() {  // NOLINT(bugprone-reserved-identifier,readability-identifier-naming)
    return "leak:libdb-";
}
#endif

namespace cueline::test {

namespace {

using namespace std::chrono_literals;

/// Waits until no other test has this file locked, and locks it. tests/python/jack_server.py uses the same file.
int locked_file() {
    const std::string path = std::filesystem::temp_directory_path() / "cueline-test-jack.lock";
    const int file = open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0666);
    for (auto waited = 0ms; waited < 600'000ms; waited += 20ms) {
        if (file == -1 || flock(file, LOCK_EX | LOCK_NB) == 0) return file;
        std::this_thread::sleep_for(20ms);
    }
    throw std::runtime_error{"other tests have had the JACK server for ten minutes"};
}

pid_t started_jackd(const std::string& blocksize) {
    const pid_t parent = getpid();
    const pid_t process = fork();
    if (process != 0) return process;
    prctl(PR_SET_PDEATHSIG, SIGKILL);  // it must not outlive a test that crashes
    if (getppid() != parent) _exit(1);
    const int nowhere = open("/dev/null", O_RDWR | O_CLOEXEC);
    if (nowhere == -1) _exit(126);
    for (const int stream : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO}) dup2(nowhere, stream);
    execlp("jackd", "jackd", "-n", JackServer::name, "-d", "dummy", "-r", "48000", "-p", blocksize.c_str(), nullptr);
    _exit(127);
}

bool runs() {
    const std::string check = std::string{"jack_wait -s "} + JackServer::name + " -c 2>/dev/null | grep -qx running";
    return std::system(check.c_str()) == 0;  // NOLINT(bugprone-command-processor,cert-env33-c): a command of our own
}

}  // namespace

JackServer::JackServer(std::uint32_t blocksize) : lock_{locked_file()} {
    setenv("JACK_DEFAULT_SERVER", name, 1);
    start(blocksize);
}

JackServer::~JackServer() {
    if (process_ != 0) {
        ::kill(process_, SIGTERM);
        resume();
        waitpid(process_, nullptr, 0);
    }
    unsetenv("JACK_DEFAULT_SERVER");
    close(lock_);
}

void JackServer::start(std::uint32_t blocksize) {
    // A jackd may never answer: then start another.
    for (int attempt = 0; attempt < 3; ++attempt) {
        process_ = started_jackd(std::to_string(blocksize));
        for (auto waited = 0ms; waited < 15'000ms && process_ != 0; waited += 50ms) {
            if (runs()) return;
            if (waitpid(process_, nullptr, WNOHANG) == process_) process_ = 0;
            std::this_thread::sleep_for(50ms);
        }
        kill();
    }
    throw std::runtime_error{
        "jackd does not come up: is it there (apt-get install jackd2), and is there room for one more server (eight "
        "names; when none runs: rm -r /dev/shm/jack*)?"};
}

void JackServer::pause() const {
    ::kill(process_, SIGSTOP);
}

void JackServer::resume() const {
    ::kill(process_, SIGCONT);
}

void JackServer::kill() {
    if (process_ == 0) return;
    ::kill(process_, SIGKILL);
    waitpid(process_, nullptr, 0);
    process_ = 0;
}

}  // namespace cueline::test
