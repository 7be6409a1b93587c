// SPDX-License-Identifier: Apache-2.0
// bf_branch: one stream to several, several to one.
//
// bf_fork      every beat goes to every branch. The streams behind it have the depth that the cycle
//              model finds for the RTL's, so that a branch that waits for another does not stop it.
// bf_join      a vector of each stream in turn: beats(k) beats of stream k, which may be `zeros`.
//
// Parameters   Width, Beats, Branches as in bf_fork.sv and bf_join.sv; beats(k): the RTL's Beats of
//              branch k. FrameVectors: vectors of a frame.
// Trips        frames * FrameVectors * the beats of a vector, of all branches
// RTL twins    bf_fork, bf_join; test: tests/software/amd/test_hls_moves.py
#ifndef BF_BRANCH_HPP
#define BF_BRANCH_HPP

#include "bf_types.hpp"

namespace bitfold {

struct fork_loop {};
struct join_loop {};

// A stream that always has a 0.
template <unsigned Width>
struct zeros {
  ap_uint<Width> read() {
#pragma HLS INLINE
    return 0;
  }
};

template <class T>
inline void write_all(const T&) {
#pragma HLS INLINE
}

template <class T, class First, class... Rest>
inline void write_all(const T& bits, First& first, Rest&... rest) {
#pragma HLS INLINE
  first.write(bits);
  write_all(bits, rest...);
}

template <class T, class First>
inline T read_from(unsigned, First& first) {
#pragma HLS INLINE
  return first.read();
}

template <class T, class First, class Second, class... Rest>
inline T read_from(unsigned branch, First& first, Second& second, Rest&... rest) {
#pragma HLS INLINE
  if (branch == 0) return first.read();
  return read_from<T>(branch - 1, second, rest...);
}

template <class P, class... Out>
void bf_fork(unsigned frames, hls::stream<ap_uint<P::Width>>& in, Out&... out) {
  const unsigned beats = frames * P::FrameVectors * P::Beats;
  for (unsigned beat = 0; beat < beats; beat++) {
#pragma HLS PIPELINE II=1 style=flp
    count_trip<P, fork_loop>();
    const ap_uint<P::Width> bits = in.read();
    write_all(bits, out...);
  }
}

template <class P, class... In>
void bf_join(unsigned frames, hls::stream<ap_uint<P::Width>>& out, In&... in) {
  unsigned to_send = frames * P::FrameVectors;
  unsigned branch = 0, beat = 0;
  while (to_send != 0) {
#pragma HLS PIPELINE II=1 style=flp
    count_trip<P, join_loop>();
    const ap_uint<P::Width> bits = read_from<ap_uint<P::Width>>(branch, in...);
    out.write(bits);
    const bool branch_ends = beat == P::beats(branch) - 1;
    const bool vector_ends = branch_ends && branch == P::Branches - 1;
    beat = branch_ends ? 0 : beat + 1;
    if (branch_ends) branch = vector_ends ? 0 : branch + 1;
    if (vector_ends) to_send--;
  }
}

}  // namespace bitfold

#endif
