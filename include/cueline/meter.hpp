// meter.hpp: values from the audio thread to the control side of which only the latest matters: how loud it is.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <span>
#include <string_view>

#include <cueline/latest.hpp>
#include <cueline/ring.hpp>

namespace cueline {

inline constexpr std::size_t max_meters = 32;
inline constexpr std::size_t max_meter_fields = 8;

/// What a processor says of a meter that it has. The texts live as long as the processor.
struct MeterSpec {
    std::string_view name;  ///< not empty, and no other meter's
    std::string_view
        unit{};  ///< "dB"; empty: none NOLINT(readability-redundant-member-init): or g++ warns who leaves it out
    std::span<const std::string_view> fields;  ///< 1 to 8 names, each another one: what its numbers are, in their order
};

/// What a meter says: as many numbers as it has fields, all of one moment.
struct MeterValue {
    std::array<double, max_meter_fields> fields{};
    std::uint64_t frame = 0;  ///< the moment: as the processor gave it, or 0 while it never did
};

/// What the two sides share of a meter.
using SharedMeter = Latest<MeterValue>;

/// A meter as a processor has it. Thread: audio. Real-time: every call is wait-free.
class Meter {
  public:
    /// Shows these numbers, one for each field, as those of `frame`. The control side gets them whole or not at all,
    /// and the latest only. Fields that are left out are 0; more than a meter can have are ignored.
    void set(std::initializer_list<double> values, std::uint64_t frame) noexcept CUELINE_NONBLOCKING {
        set(std::span<const double>{values.begin(), values.size()}, frame);
    }
    void set(std::span<const double> values, std::uint64_t frame) noexcept CUELINE_NONBLOCKING {
        MeterValue value{.fields = {}, .frame = frame};
        std::copy_n(values.begin(), std::min(values.size(), max_meter_fields), value.fields.begin());
        shared_->write(value);
    }

    /// The meter of an array's place that nobody declared: the engine's.
    Meter() noexcept = default;

    /// Thread: control, before the first block. `shared` outlives it.
    explicit Meter(SharedMeter& shared) noexcept : shared_{&shared} {}

  private:
    SharedMeter* shared_ = nullptr;
};

}  // namespace cueline
