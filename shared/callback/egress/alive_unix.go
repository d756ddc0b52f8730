//go:build unix

package egress

import (
	"net"
	"syscall"
)

// sign is a sign of life of a connection that nobody reads.
type sign struct{ raw syscall.RawConn }

// signOf returns nil for a connection without a socket.
func signOf(conn net.Conn) *sign {
	if m, ok := conn.(*metered); ok {
		conn = m.Conn
	}
	socket, ok := conn.(syscall.Conn)
	if !ok {
		return nil
	}
	raw, err := socket.SyscallConn()
	if err != nil {
		return nil
	}
	return &sign{raw}
}

// alive reports whether the server has neither closed the connection nor sent
// what nobody asked for. Of a connection without a sign it says yes.
func (s *sign) alive() (yes bool) {
	if s == nil {
		return true
	}
	err := s.raw.Read(func(socket uintptr) (done bool) {
		var b [1]byte
		_, _, err := syscall.Recvfrom(int(socket), b[:], syscall.MSG_PEEK|syscall.MSG_DONTWAIT)
		yes = err == syscall.EAGAIN || err == syscall.EINTR
		return true
	})
	return yes && err == nil
}
