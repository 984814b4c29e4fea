// SPDX-License-Identifier: Apache-2.0
// The part of ESP-IDF 5 that the board calls, declared by its Programming Guide, so that the board
// compiles where ESP-IDF is not installed. Only for that check: the real project includes
// idf/idf.h.
#ifndef FLORIN_IDF_H
#define FLORIN_IDF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/time.h>

typedef int esp_err_t;
enum { ESP_OK = 0, ESP_ERR_NVS_NOT_FOUND = 0x1102 };
_Noreturn void esp_restart(void);

typedef struct {
  uint32_t address;
  uint32_t size;
} esp_partition_t;
typedef enum { ESP_PARTITION_TYPE_DATA = 1 } esp_partition_type_t;
typedef enum { ESP_PARTITION_SUBTYPE_ANY = 0xff } esp_partition_subtype_t;
typedef enum { ESP_PARTITION_MMAP_DATA } esp_partition_mmap_memory_t;
typedef uint32_t esp_partition_mmap_handle_t;
const esp_partition_t *esp_partition_find_first(esp_partition_type_t type,
                                                esp_partition_subtype_t subtype,
                                                const char *label);
esp_err_t esp_partition_read(const esp_partition_t *partition, size_t offset, void *bytes,
                             size_t size);
esp_err_t esp_partition_write(const esp_partition_t *partition, size_t offset, const void *bytes,
                              size_t size);
esp_err_t esp_partition_erase_range(const esp_partition_t *partition, size_t offset, size_t size);
esp_err_t esp_partition_mmap(const esp_partition_t *partition, size_t offset, size_t size,
                             esp_partition_mmap_memory_t memory, const void **pointer,
                             esp_partition_mmap_handle_t *handle);

typedef uint32_t nvs_handle_t;
typedef enum { NVS_READONLY, NVS_READWRITE } nvs_open_mode_t;
esp_err_t nvs_flash_init(void);
esp_err_t nvs_open(const char *name, nvs_open_mode_t mode, nvs_handle_t *handle);
esp_err_t nvs_get_u32(nvs_handle_t handle, const char *key, uint32_t *value);
esp_err_t nvs_set_u32(nvs_handle_t handle, const char *key, uint32_t value);
esp_err_t nvs_commit(nvs_handle_t handle);

void bootloader_random_enable(void);
void esp_fill_random(void *bytes, size_t length);
typedef enum { HMAC_KEY0 } hmac_key_id_t;
esp_err_t esp_hmac_calculate(hmac_key_id_t key, const void *message, size_t length, uint8_t *hmac);

typedef struct esp_timer *esp_timer_handle_t;
typedef enum { ESP_TIMER_TASK } esp_timer_dispatch_t;
typedef struct {
  void (*callback)(void *argument);
  void *arg;
  esp_timer_dispatch_t dispatch_method;
  const char *name;
  bool skip_unhandled_events;
} esp_timer_create_args_t;
int64_t esp_timer_get_time(void);
esp_err_t esp_timer_create(const esp_timer_create_args_t *settings, esp_timer_handle_t *timer);
esp_err_t esp_timer_start_periodic(esp_timer_handle_t timer, uint64_t period_us);

typedef uint32_t TickType_t;
typedef int BaseType_t;
typedef struct QueueDefinition *QueueHandle_t;
typedef QueueHandle_t SemaphoreHandle_t;
#define pdTRUE ((BaseType_t)1)
#define portMAX_DELAY ((TickType_t)0xffffffff)
#define pdMS_TO_TICKS(milliseconds) ((TickType_t)((milliseconds) / 10))
/* In FreeRTOS these three are macros. */
SemaphoreHandle_t xSemaphoreCreateMutex(void);
BaseType_t xSemaphoreTake(SemaphoreHandle_t semaphore, TickType_t wait);
BaseType_t xSemaphoreGive(SemaphoreHandle_t semaphore);

typedef enum { UART_NUM_0 } uart_port_t;
enum { UART_DATA_8_BITS = 3, UART_PARITY_DISABLE = 0, UART_STOP_BITS_1 = 1 };
typedef struct {
  int baud_rate;
  int data_bits;
  int parity;
  int stop_bits;
} uart_config_t;
esp_err_t uart_driver_install(uart_port_t port, int receive_size, int send_size, int queue_size,
                              QueueHandle_t *queue, int interrupt_flags);
esp_err_t uart_param_config(uart_port_t port, const uart_config_t *settings);
int uart_read_bytes(uart_port_t port, void *bytes, uint32_t length, TickType_t wait);
int uart_write_bytes(uart_port_t port, const void *bytes, size_t length);

typedef struct {
  uint32_t tx_buffer_size;
  uint32_t rx_buffer_size;
} usb_serial_jtag_driver_config_t;
esp_err_t usb_serial_jtag_driver_install(usb_serial_jtag_driver_config_t *settings);
int usb_serial_jtag_read_bytes(void *bytes, uint32_t length, TickType_t wait);
int usb_serial_jtag_write_bytes(const void *bytes, size_t length, TickType_t wait);

void app_main(void);

#endif
