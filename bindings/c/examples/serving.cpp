// Serving in C++: handles that free themselves, exceptions with the library's messages, one transform shared by threads that each have an evaluator of
// their own. `cargo test --package hypostyle-c` builds and runs it.

#include <cstdio>
#include <memory>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "hypostyle.h"

namespace {

template <auto Free>
struct Deleter {
  template <typename Handle>
  void operator()(Handle *handle) const {
    Free(handle);
  }
};

using Session = std::unique_ptr<HypostyleSession, Deleter<hypostyle_session_free>>;
using Transform = std::unique_ptr<HypostyleTransform, Deleter<hypostyle_transform_free>>;
using Row = std::unique_ptr<HypostyleRow, Deleter<hypostyle_row_free>>;

// The place for the error of one call; throws what was put there.
class Errors {
 public:
  ~Errors() { hypostyle_error_free(error_); }
  operator HypostyleError **() { return &error_; }
  void check(bool ok) {
    if (!ok) throw std::runtime_error(hypostyle_error_message(error_));
  }

 private:
  HypostyleError *error_ = nullptr;
};

template <typename Handle, typename... Parameters, typename... Arguments>
Handle made(typename Handle::pointer (*function)(Parameters...), Arguments... arguments) {
  Errors errors;
  Handle handle(function(arguments..., errors));
  errors.check(handle != nullptr);
  return handle;
}

template <typename... Parameters, typename... Arguments>
void call(HypostyleCode (*function)(Parameters...), Arguments... arguments) {
  Errors errors;
  errors.check(function(arguments..., errors) == HYPOSTYLE_CODE_OK);
}

std::vector<double> served(const HypostyleTransform *transform) {
  auto row = made<Row>(hypostyle_transform_row, transform, nullptr, 0);
  size_t price = 0, kind = 0;
  call(hypostyle_row_input, row.get(), "price", &price);
  call(hypostyle_row_input, row.get(), "kind", &kind);
  std::vector<double> results;
  for (int number = 0; number < 1000; number++) {
    const std::string name = number % 2 ? "book" : "toy";
    call(hypostyle_row_start, row.get(), size_t{1});
    call(hypostyle_row_set_double, row.get(), price, double(number));
    call(hypostyle_row_set_text, row.get(), kind, name.data(), name.size());
    call(hypostyle_row_evaluate, row.get());
    double scaled = 0;
    int64_t code = 0;
    call(hypostyle_row_get_double, row.get(), size_t{0}, size_t{0}, &scaled, static_cast<bool *>(nullptr));
    call(hypostyle_row_get_int64, row.get(), size_t{1}, size_t{0}, &code, static_cast<bool *>(nullptr));
    results.push_back(scaled + double(code));
  }
  return results;
}

}  // namespace

int main() try {
  auto session = made<Session>(hypostyle_session_new, nullptr);
  call(hypostyle_session_execute, session.get(),
       "CREATE TABLE items AS SELECT i::DOUBLE AS price, CASE WHEN i % 2 = 1 THEN 'book' ELSE 'toy' END AS kind FROM "
       "range(1000) t(i)",
       static_cast<uint64_t *>(nullptr));
  auto transform =
      made<Transform>(hypostyle_session_fit, session.get(),
                      "SELECT min_max_scale(price) AS price, vocab_encode(kind) AS kind FROM input", "items");
  session.reset();  // The transform keeps what it needs.

  std::vector<double> left, right;
  std::thread other([&] { left = served(transform.get()); });
  right = served(transform.get());
  other.join();
  if (left != right) throw std::runtime_error("two threads served other values");
  std::printf("%zu rows, last %.3f\n", right.size(), right.back());

  try {
    call(hypostyle_session_execute, static_cast<HypostyleSession *>(nullptr), "SELECT 1", static_cast<uint64_t *>(nullptr));
  } catch (const std::runtime_error &refused) {
    std::printf("refused: %s\n", refused.what());
  }
  return 0;
} catch (const std::exception &failure) {
  std::fprintf(stderr, "%s\n", failure.what());
  return 1;
}
