// The parts of Boost.Asio's TLS streams and of Boost.Beast that are no templates, compiled once.
#include <boost/asio/ssl/impl/src.hpp>
#include <boost/beast/src.hpp>
