module github.com/postino/postino/verify

go 1.22
