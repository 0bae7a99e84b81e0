// reserved_pages.cpp: maps and unmaps pages.
#include "system/reserved_pages.hpp"

#include "system/fork_private.hpp"
#include "system/system_pages.hpp"

namespace cueline {

ReservedPages::ReservedPages(std::size_t bytes) {
    const std::size_t page = system_page_bytes();
    pages_ = map_pages((bytes + page - 1) / page * page);
    wipe_on_fork(pages_);
}

ReservedPages::~ReservedPages() {
    unmap_pages(pages_);
}

}  // namespace cueline
