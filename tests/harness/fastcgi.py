"""The web server's side of FastCGI, by hand."""
import socket
import struct


def record(kind, content, request=1):
    return struct.pack('>BBHHBB', 1, kind, request, len(content), 0, 0) + content


def begin(path='/robots.txt'):
    """The records that begin a GET on a connection to be kept: BEGIN_REQUEST, and PARAMS without their end."""
    pairs = {'REQUEST_METHOD': 'GET', 'SCRIPT_NAME': path, 'SERVER_PROTOCOL': 'HTTP/1.1',
             'HTTP_HOST': '127.0.0.1', 'REMOTE_ADDR': '127.0.0.1', 'SERVER_ADDR': '127.0.0.1'}
    params = b''.join(struct.pack('BB', len(n), len(v)) + n.encode() + v.encode()
                      for n, v in pairs.items())
    return record(1, struct.pack('>HBxxxxx', 1, 1)), record(4, params)


def ask(path_of_socket, path='/robots.txt', timeout=10):
    """What is answered to a GET, headers and body."""
    with socket.socket(socket.AF_UNIX) as s:
        s.settimeout(timeout)
        s.connect(path_of_socket)
        s.sendall(b''.join(begin(path)) + record(4, b'') + record(5, b''))
        text = data = b''
        while True:
            piece = s.recv(65536)
            data += piece
            while len(data) >= 8 and len(data) >= 8 + int.from_bytes(data[4:6], 'big') + data[6]:
                size = int.from_bytes(data[4:6], 'big')
                if data[1] == 3:
                    return text
                text += data[8:8 + size]
                data = data[8 + size + data[6]:]
            if not piece:
                return text
