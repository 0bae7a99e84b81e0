// jack_server.cpp: jackd, started, waited for with jack_wait, and ended by its process id.
#include "jack_server.hpp"

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
#include <thread>
#include <utility>

namespace cueline::test {

namespace {

using namespace std::chrono_literals;

pid_t started_jackd(const std::string& name, const std::string& blocksize) {
    const pid_t parent = getpid();
    const pid_t process = fork();
    if (process != 0) return process;
    prctl(PR_SET_PDEATHSIG, SIGKILL);  // it must not outlive a test that crashes
    if (getppid() != parent) _exit(1);
    const int nowhere = open("/dev/null", O_RDWR | O_CLOEXEC);
    for (const int stream : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO}) dup2(nowhere, stream);
    execlp("jackd", "jackd", "-n", name.c_str(), "-d", "dummy", "-r", "48000", "-p", blocksize.c_str(), nullptr);
    _exit(127);
}

std::string name_of(int number) {
    return "cueline-test-" + std::to_string(number);
}

/// A locked file, for the first of four names that no other test uses; its number comes with it.
std::pair<int, int> locked_name() {
    const std::string folder = std::filesystem::temp_directory_path();
    for (int attempt = 0; attempt < 600; ++attempt) {
        for (int number = 0; number < 4; ++number) {
            const int file =
                open((folder + "/" + name_of(number) + ".lock").c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0666);
            if (file != -1 && flock(file, LOCK_EX | LOCK_NB) == 0) return {file, number};
            close(file);
        }
        std::this_thread::sleep_for(100ms);
    }
    throw std::runtime_error{"four tests use a JACK server already, and none has ended within a minute"};
}

bool runs(const std::string& name) {
    const std::string check = "jack_wait -s '" + name + "' -c 2>/dev/null | grep -qx running";
    return std::system(check.c_str()) == 0;
}

}  // namespace

JackServer::JackServer(std::uint32_t blocksize) {
    const auto [file, number] = locked_name();
    name_lock_ = file;
    name_ = name_of(number);
    setenv("JACK_DEFAULT_SERVER", name_.c_str(), 1);
    start(blocksize);
}

JackServer::~JackServer() {
    if (process_ != 0) {
        ::kill(process_, SIGTERM);
        waitpid(process_, nullptr, 0);
    }
    unsetenv("JACK_DEFAULT_SERVER");
    close(name_lock_);
}

void JackServer::start(std::uint32_t blocksize) {
    process_ = started_jackd(name_, std::to_string(blocksize));
    for (auto waited = 0ms; waited < 15'000ms; waited += 50ms) {
        if (runs(name_)) return;
        int status = 0;
        if (waitpid(process_, &status, WNOHANG) == process_) {
            process_ = 0;
            throw std::runtime_error{
                "jackd ended at once: is it there (apt-get install jackd2), and is there room for one "
                "more server (eight; when none runs: rm /dev/shm/jack*)?"};
        }
        std::this_thread::sleep_for(50ms);
    }
    kill();
    throw std::runtime_error{"jackd did not come up within fifteen seconds"};
}

void JackServer::kill() {
    if (process_ == 0) return;
    ::kill(process_, SIGKILL);
    waitpid(process_, nullptr, 0);
    process_ = 0;
}

}  // namespace cueline::test
