/* fake_rtmidi.c: RtMidi's C functions, with one device that plays by itself: a knob that moves, a clock, and SysEx. */
#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

typedef void (*Callback)(double, const unsigned char*, size_t, void*);

struct Port {
    void* object;
    void* data;
    bool ok;
    const char* message;
    Callback callback;
    void* user;
    pthread_t thread;
    bool opened;
    bool over;
};

static void* play(void* argument) {
    struct Port* const port = argument;
    const struct timespec pause = {0, 2000000};
    for (unsigned value = 0; !__atomic_load_n(&port->over, __ATOMIC_ACQUIRE); value = (value + 1) % 128) {
        const unsigned char clock[] = {0xF8};
        const unsigned char sysex[] = {0xF0, 1, 0xF7};
        const unsigned char knob[] = {0xB2, 20, (unsigned char)(value < 64 ? 127 : 1)};
        port->callback(0, clock, sizeof clock, port->user);
        port->callback(0, sysex, sizeof sysex, port->user);
        port->callback(0, knob, sizeof knob, port->user);
        nanosleep(&pause, NULL);
    }
    return NULL;
}

int rtmidi_get_compiled_api(unsigned* apis, unsigned size) {
    (void)size;
    apis[0] = 2;
    return 1;
}

struct Port* rtmidi_in_create(unsigned api, const char* client, unsigned queue) {
    (void)api, (void)client, (void)queue;
    struct Port* const port = calloc(1, sizeof *port);
    port->ok = getenv("FAKE_RTMIDI_HAS_NO_SYSTEM") == NULL;
    port->message = (const char*)16; /* as RtMidi 5 leaves it: nobody may read it */
    return port;
}

void rtmidi_in_free(struct Port* port) {
    __atomic_store_n(&port->over, true, __ATOMIC_RELEASE);
    if (port->opened) pthread_join(port->thread, NULL);
    free(port);
}

void rtmidi_in_set_callback(struct Port* port, Callback callback, void* user) {
    port->callback = callback;
    port->user = user;
}

void rtmidi_in_ignore_types(struct Port* port, bool sysex, bool time, bool sense) {
    (void)port, (void)sysex, (void)time, (void)sense;
}

unsigned rtmidi_get_port_count(struct Port* port) {
    (void)port;
    return 2;
}

int rtmidi_get_port_name(struct Port* port, unsigned number, char* name, int* size) {
    (void)port;
    const char* const found = number == 0 ? "Silent Pads 20:0" : "Kn\xC3\xB6pfe 24:0";
    if (name == NULL) {
        *size = snprintf(NULL, 0, "%s", found) + 1;
        return 0;
    }
    return snprintf(name, (size_t)*size, "%s", found);
}

void rtmidi_open_port(struct Port* port, unsigned number, const char* name) {
    (void)name;
    if (number == 1) port->opened = pthread_create(&port->thread, NULL, play, port) == 0;
}
