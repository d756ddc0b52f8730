package engine

import (
	"os"
	"syscall"
)

// syncData writes the file's data to the disk, and of its metadata only what
// reading needs. A file that is closed is [os.ErrClosed].
func syncData(f *os.File) error {
	raw, err := f.SyscallConn()
	if err != nil {
		return err
	}
	var failure error
	err = raw.Control(func(fd uintptr) {
		for failure = syscall.EINTR; failure == syscall.EINTR; {
			failure = syscall.Fdatasync(int(fd))
		}
	})
	if err != nil {
		return err
	}
	return failure
}
