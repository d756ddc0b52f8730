package localdb

import (
	"os"
	"syscall"
)

// syncData writes the file's data to the disk, and of its metadata only what reading needs.
func syncData(f *os.File) error {
	for {
		if err := syscall.Fdatasync(int(f.Fd())); err != syscall.EINTR {
			return err
		}
	}
}
