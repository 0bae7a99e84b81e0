// meter.hpp: a value from the audio thread to the control side of which only the latest matters, such as a level.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <span>
#include <string_view>

#include <cueline/ring.hpp>
#include <cueline/seqlock.hpp>

namespace cueline {

inline constexpr std::size_t max_meters = 4096;  ///< each element of an array counts
inline constexpr std::size_t max_meter_fields = 8;

/// A processor's declaration of a meter. The texts live as long as the processor.
struct MeterSpec {
    std::string_view name;  ///< not empty, and different from the names of its other meters
    std::string_view
        unit{};  ///< "dB"; empty: none NOLINT(readability-redundant-member-init): without it, g++ warns its users
    std::span<const std::string_view> fields;  ///< 1 to 8 different names for its numbers, in order
    std::uint32_t count = 1;                   ///< at least 1; more: an array of meters, each with a value of its own
};

/// One reading of a meter: one number for each field, all of the same moment.
struct MeterValue {
    std::array<double, max_meter_fields> fields{};
    std::uint64_t frame = 0;  ///< the moment, as the processor set it; 0 before the first reading
};

/// The part of a meter that both sides share.
using SharedMeter = Seqlock<MeterValue>;

/// A meter as a processor uses it. The audio thread owns it, and every call is wait-free.
class Meter {
  public:
    /// Publishes `values`, one per field, for `frame`. The control side reads the latest values, never a mixture.
    /// Missing values are 0. Values beyond the greatest number of fields are ignored.
    void set(std::initializer_list<double> values, std::uint64_t frame) noexcept CUELINE_NONBLOCKING {
        set(std::span<const double>{values.begin(), values.size()}, frame);
    }
    void set(std::span<const double> values, std::uint64_t frame) noexcept CUELINE_NONBLOCKING {
        MeterValue value{.fields = {}, .frame = frame};
        std::copy_n(values.begin(), std::min(values.size(), max_meter_fields), value.fields.begin());
        shared_->write(value);
    }

    /// For the engine: an element of an array, which is set later.
    Meter() noexcept = default;

    /// For the engine: `shared` must outlive it. [control thread, before the first block]
    explicit Meter(SharedMeter& shared) noexcept : shared_{&shared} {}

  private:
    SharedMeter* shared_ = nullptr;
};

}  // namespace cueline
