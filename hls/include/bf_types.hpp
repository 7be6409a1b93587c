// SPDX-License-Identifier: Apache-2.0
// bf_types: what the other headers share: words of several integers, counters, loops counted.
//
// Each header is the twin of a module in hardware/rtl and takes that module's parameters, under the
// same names, as members of a struct P that `bitfold hls` writes. Streams carry the same beats in
// the same order. A process runs `frames` frames and returns.
#ifndef BF_TYPES_HPP
#define BF_TYPES_HPP

#include <ap_int.h>
#include <hls_stream.h>

#ifndef __SYNTHESIS__
#include <cstdio>
#include <cstdlib>
#endif

namespace bitfold {

// Several integers of a beat, the first in lane 0.
template <class T, unsigned N>
struct vec {
  T lane[N];
};

constexpr unsigned ceil_div(unsigned a, unsigned b) { return (a + b - 1) / b; }
constexpr unsigned larger(unsigned a, unsigned b) { return a > b ? a : b; }
constexpr unsigned smaller(unsigned a, unsigned b) { return a < b ? a : b; }
// Bits that hold 0 .. n.
constexpr unsigned bits_for(unsigned n) { return n < 2 ? 1 : 1 + bits_for(n / 2); }

// A counter that holds 0 .. N.
template <unsigned N>
using count_t = ap_uint<bits_for(N)>;

// A number from -N to N.
template <unsigned N>
using offset_t = ap_int<bits_for(N) + 1>;

// The counter behind `c`: 0 at the end, else the next.
template <class C>
inline C turned(C c, bool ends) {
#pragma HLS INLINE
  return ends ? C(0) : C(c + 1);
}

// How often a pipelined loop went round: its cycles when II = 1, but for the filling of its
// pipeline. Counted in C simulation only. Process: a tag of the header that has the loop.
#ifndef __SYNTHESIS__
template <class P, class Process>
unsigned long& trips() {
  static unsigned long count = 0;
  return count;
}
#endif

template <class P, class Process>
inline void count_trip() {
#pragma HLS INLINE
#ifndef __SYNTHESIS__
  ++trips<P, Process>();
#endif
}

// In C simulation all input is there before a process begins: where it neither takes nor sends in a
// round it never will. In hardware it waits for its neighbours.
inline void must_move(bool moved) {
#pragma HLS INLINE
#ifndef __SYNTHESIS__
  if (!moved) {
    std::printf("a process waits for beats that do not come\n");
    std::exit(1);
  }
#endif
}

}  // namespace bitfold

#endif
