// SPDX-License-Identifier: Apache-2.0
// The line through ESP-IDF's drivers, and KEEPALIVE from a timer's task.
#include "line.h"

#include "board.h"
#include "idf.h"
#include "runtime.h"

enum { RECEIVE_SIZE = 4096, BAUD_RATE = 115200, TICK_US = 10000, LONGEST_WAIT_MS = 60000 };

static uint8_t received[256];
static int received_length;
static int received_read;
static SemaphoreHandle_t writing;

#if CONFIG_FLORIN_LINE_USB
static void open_line(void) {
  usb_serial_jtag_driver_config_t settings = {.tx_buffer_size = RECEIVE_SIZE,
                                              .rx_buffer_size = RECEIVE_SIZE};
  if (usb_serial_jtag_driver_install(&settings) != ESP_OK) esp_restart();
}

static int receive(void *bytes, uint32_t length, TickType_t wait) {
  return usb_serial_jtag_read_bytes(bytes, length, wait);
}

static int transmit(const void *bytes, size_t length) {
  /* A cable that is out takes nothing: what is lost the link repairs. */
  int sent = usb_serial_jtag_write_bytes(bytes, length, pdMS_TO_TICKS(100));
  return sent > 0 ? sent : (int)length;
}
#else
static void open_line(void) {
  const uart_config_t settings = {.baud_rate = BAUD_RATE,
                                  .data_bits = UART_DATA_8_BITS,
                                  .parity = UART_PARITY_DISABLE,
                                  .stop_bits = UART_STOP_BITS_1};
  if (uart_driver_install(UART_NUM_0, RECEIVE_SIZE, 0, 0, NULL, 0) != ESP_OK ||
      uart_param_config(UART_NUM_0, &settings) != ESP_OK) {
    esp_restart();
  }
}

static int receive(void *bytes, uint32_t length, TickType_t wait) {
  return uart_read_bytes(UART_NUM_0, bytes, length, wait);
}

static int transmit(const void *bytes, size_t length) {
  int sent = uart_write_bytes(UART_NUM_0, bytes, length);
  return sent > 0 ? sent : (int)length;
}
#endif

void board_write(const uint8_t *bytes, size_t length) {
  while (length > 0) {
    size_t sent = (size_t)transmit(bytes, length);
    bytes += sent;
    length -= sent;
  }
}

int board_read(void) {
  if (received_read == received_length) {
    received_read = 0;
    received_length = receive(received, sizeof received, 0);
    if (received_length <= 0) received_length = 0;
  }
  return received_read < received_length ? received[received_read++] : -1;
}

void board_wait(uint64_t deadline_ms) {
  uint64_t now_ms = board_now_ms();
  if (received_read < received_length || deadline_ms <= now_ms) return;
  uint64_t wait_ms = deadline_ms - now_ms;
  if (wait_ms > LONGEST_WAIT_MS) wait_ms = LONGEST_WAIT_MS;
  /* The first byte ends the wait; board_read takes what comes with it. */
  received_read = 0;
  received_length = receive(received, 1, pdMS_TO_TICKS(wait_ms));
  if (received_length < 0) received_length = 0;
}

void board_hold(void) { xSemaphoreTake(writing, portMAX_DELAY); }

void board_release(void) { xSemaphoreGive(writing); }

/* On two cores the timer's task runs beside the program: a frame under way is waited for. */
static void tick(void *argument) {
  (void)argument;
  if (xSemaphoreTake(writing, 0) != pdTRUE) return;
  runtime_millisecond();
  xSemaphoreGive(writing);
}

void line_start(void) {
  const esp_timer_create_args_t settings = {.callback = tick, .name = "keepalive"};
  esp_timer_handle_t timer;
  writing = xSemaphoreCreateMutex();
  open_line();
  if (writing == NULL || esp_timer_create(&settings, &timer) != ESP_OK ||
      esp_timer_start_periodic(timer, TICK_US) != ESP_OK) {
    esp_restart();
  }
}
